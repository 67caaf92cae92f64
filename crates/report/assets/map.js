"use strict";
// Two parameters at once: cells, or contours of a surface through the best trials.
const TIDY = 20, FINE = 72;

// The best trial in each cell of two parameters.
function cellsOf(px, py) {
  const sides = [px, py].map(p => {
    const param = trials.params[p], scale = axisOf(param);
    if (param.kind === "text" || (param.distinct.length && param.distinct.length <= 40)) {
      const keys = new Map(param.distinct.map((value, place) => [String(value), place]));
      return { names: param.distinct.map(setting), at: v => v === null ? -1 : keys.get(String(v)) };
    }
    const step = (scale.high - scale.low) / TIDY || 1, isLog = param.kind === "log";
    const names = Array.from({ length: TIDY }, (_, i) => { const v = scale.low + (i + 0.5) * step; return setting(Number((isLog ? 10 ** v : v).toPrecision(2))); });
    return { names, at: v => { const place = scale.at(v); return place === null ? -1 : Math.min(TIDY - 1, Math.floor((place - scale.low) / step)); } };
  });
  const tops = new Map();
  for (let i = 0; i < count; i++) {
    if (scores[i] === null || !isOn(i)) continue;
    const x = sides[0].at(trials.params[px].values[i]), y = sides[1].at(trials.params[py].values[i]);
    if (x < 0 || y < 0) continue;
    const key = x * 1000 + y, held = tops.get(key);
    if (held === undefined || (page.higher ? scores[i] > scores[held] : scores[i] < scores[held])) tops.set(key, i);
  }
  return { sides, tops };
}

// A thin plate through points [x, y, value] of the unit square, bent as little as the points allow; the values of a few trials
// are noise, so it need not pass through them exactly. Source: Duchon 1977; Wahba 1990.
function plate(points) {
  const n = points.length, size = n + 3, bend = (dx, dy) => { const q = dx * dx + dy * dy; return q > 0 ? q * Math.log(q) / 2 : 0; };
  const rows = Array.from({ length: size }, (_, r) => {
    const row = new Float64Array(size + 1), [x, y, value] = points[r] || [];
    if (r < n) {
      for (let c = 0; c < n; c++) row[c] = bend(x - points[c][0], y - points[c][1]);
      row[r] += 1e-3;
      row.set([1, x, y, value], n);
    } else for (let c = 0; c < n; c++) row[c] = r === n ? 1 : points[c][r - n - 1];
    return row;
  });
  for (let k = 0; k < size; k++) {
    let pivot = k;
    for (let r = k + 1; r < size; r++) if (Math.abs(rows[r][k]) > Math.abs(rows[pivot][k])) pivot = r;
    if (Math.abs(rows[pivot][k]) < 1e-12) return null;
    [rows[k], rows[pivot]] = [rows[pivot], rows[k]];
    for (let r = k + 1; r < size; r++) {
      const factor = rows[r][k] / rows[k][k];
      if (factor !== 0) for (let c = k; c <= size; c++) rows[r][c] -= factor * rows[k][c];
    }
  }
  const solved = new Float64Array(size);
  for (let k = size - 1; k >= 0; k--) {
    let sum = rows[k][size];
    for (let c = k + 1; c < size; c++) sum -= rows[k][c] * solved[c];
    solved[k] = sum / rows[k][k];
  }
  return (x, y) => {
    let sum = solved[n] + solved[n + 1] * x + solved[n + 2] * y;
    for (let c = 0; c < n; c++) sum += solved[c] * bend(x - points[c][0], y - points[c][1]);
    return sum;
  };
}

// The surface on a fine net and its contours, in the unit square, and the part of it that is far from all trials.
function contoursOf(px, py) {
  const scales = [px, py].map(p => axisOf(trials.params[p])), { tops } = cellsOf(px, py);
  const share = (scale, value) => { const place = scale.at(value); return place === null ? null : (place - scale.low + scale.pad) / (scale.high - scale.low + 2 * scale.pad); };
  const points = Array.from(tops.values(), i => [share(scales[0], trials.params[px].values[i]), share(scales[1], trials.params[py].values[i]), within(scores[i]), i]).filter(point => point[0] !== null && point[1] !== null);
  const spread = axis => new Set(points.map(point => point[axis])).size;
  const at = points.length > 3 && spread(0) > 1 && spread(1) > 1 ? plate(points) : null;
  if (!at) return null;
  // Farther than between neighbors, or there would be holes within a grid.
  const gap = axis => { const all = Array.from(new Set(points.map(point => point[axis]))).sort((a, b) => a - b); return Math.max(0.12, ...all.slice(1).map((v, i) => (v - all[i]) * 0.75)); };
  const [gx, gy] = [gap(0), gap(1)], net = new Float64Array(FINE * FINE), distance = new Float64Array(FINE * FINE);
  for (let b = 0; b < FINE; b++) for (let a = 0; a < FINE; a++) {
    const x = (a + 0.5) / FINE, y = (b + 0.5) / FINE, place = b * FINE + a;
    net[place] = (at(x, y) - best) * (page.higher ? -1 : 1);
    distance[place] = Math.min(...points.map(point => Math.hypot((point[0] - x) / gx, (point[1] - y) / gy)));
  }
  const ends = Array.from({ length: LEVELS }, (_, l) => l ? Math.abs(levelEnd(l) - best) : -1e30), maker = echarts.contours().size([FINE, FINE]);
  return { scales, points, bands: maker.thresholds(ends)(net), far: maker.thresholds([1])(distance)[0] };
}

function drawMap() {
  const box = document.getElementById("map");
  if (!box) return;
  const [xs, ys, kind] = ["map-x", "map-y", "map-kind"].map(id => document.getElementById(id));
  trials.params.forEach((param, p) => { for (const list of [xs, ys]) list.append(element("option", { value: String(p) }, param.name)); });
  const pair = page.importance.find(row => row[0].length === 2), single = page.importance.filter(row => row[0].length === 1).map(row => row[0][0]);
  const start = single.length > 1 ? single.slice(0, 2) : pair ? pair[0] : [0, 1];
  xs.value = String(start[0]); ys.value = String(start[1]);
  const isNumeric = p => trials.params[p].kind !== "text";
  if (start.every(p => isNumeric(p) && new Set(trials.params[p].values).size > 3)) kind.value = "contour";
  const isNarrow = () => box.clientWidth < 500;
  const legend = 46 + 6.6 * Math.max(...Array.from({ length: LEVELS }, (_, l) => legendText(l).length));
  const frame = () => ({ grid: { left: isNarrow() ? 64 : 84, right: legend, top: 14, bottom: 48 } });
  const up = (name, extra) => axis(Object.assign({ name, nameLocation: "middle", nameGap: isNarrow() ? 46 : 60, splitLine: { show: false } }, extra));

  const cellsOption = (px, py) => {
    const { sides, tops } = cellsOf(px, py);
    const data = Array.from(tops, ([key, i]) => [Math.floor(key / 1000), key % 1000, level(scores[i]), i]);
    const short = name => name.length > 12 ? name.slice(0, 11) + "…" : name;
    return Object.assign({
      tooltip: tooltip(q => trialTip(q.data[3])), visualMap: levelLegend(2, 0),
      xAxis: xAxis(trials.params[px].name, { type: "category", data: sides[0].names, axisLabel: { formatter: short } }),
      yAxis: up(trials.params[py].name, { type: "category", data: sides[1].names, axisLabel: { formatter: short } }),
      series: [{ type: "heatmap", data, itemStyle: { borderColor: color("paper"), borderWidth: 1 }, emphasis: { itemStyle: { borderColor: color("ink"), borderWidth: 2 } } }],
    }, frame());
  };

  const contourOption = (px, py, held) => {
    const path = (band, area) => band.coordinates.map(polygon => polygon.map(ring => "M" + ring.map(([a, b]) => (area.x + a / FINE * area.width).toFixed(1) + " " + (area.y + (1 - b / FINE) * area.height).toFixed(1)).join("L") + "Z").join("")).join("");
    // A label stands where the longest of its lines is farthest from the frame.
    const place = band => {
      const rings = band.coordinates.flat(), ring = rings.reduce((a, b) => b.length > a.length ? b : a, []);
      const inner = ([a, b]) => Math.min(a, b, FINE - a, FINE - b), spot = ring.reduce((a, b) => inner(b) > inner(a) ? b : a, ring[0] || [0, 0]);
      return ring.length > 12 && inner(spot) > 5 ? spot : null;
    };
    const outline = (d, style) => d ? { type: "path", shape: { pathData: d }, style } : null;
    const draw = (params, api) => {
      const l = api.value(2), isFar = l === LEVELS, band = isFar ? held.far : held.bands[l];
      return outline(path(band, params.coordSys), { fill: isFar ? color("paper") : tone(l), stroke: l && !isFar ? "rgba(255,255,255,.5)" : "none", lineWidth: 1 });
    };
    let taken = [];
    const label = (params, api) => {
      const l = api.value(2), spot = l && l < LEVELS ? place(held.bands[l]) : null, area = params.coordSys;
      if (l === 0) taken = [];
      if (!spot || area.width < 300) return null;
      const x = area.x + spot[0] / FINE * area.width, y = area.y + (1 - spot[1] / FINE) * area.height;
      if (taken.some(other => Math.abs(other[0] - x) < 36 && Math.abs(other[1] - y) < 14)) return null;
      taken.push([x, y]);
      return { type: "text", silent: true, x, y, style: { text: written(l), fill: "#fff", stroke: "rgba(0,0,0,.55)", lineWidth: 2.5, font: "11px system-ui, sans-serif", align: "center", verticalAlign: "middle" } };
    };
    const every = Array.from({ length: LEVELS + 1 }, (_, l) => [held.scales[0].low, held.scales[1].low, l]);
    const at = p => point => held.scales[p].at(trials.params[p ? py : px].values[point[3]]);
    const data = held.points.map(point => [at(0)(point), at(1)(point), level(point[2]), point[3]]), chosen = data.filter(point => point[3] === page.chosen);
    return Object.assign({
      tooltip: tooltip(q => trialTip(q.data[3])), visualMap: levelLegend(2, 1),
      xAxis: xAxis(trials.params[px].name, marked(held.scales[0])), yAxis: up(trials.params[py].name, marked(held.scales[1])),
      series: [
        { type: "custom", data: every, renderItem: draw, silent: true, clip: true, z: 1, tooltip: { show: false } },
        { type: "scatter", data, symbolSize: 6, itemStyle: { borderColor: "rgba(255,255,255,.75)", borderWidth: 1 }, z: 3 },
        { type: "custom", data: every, renderItem: label, silent: true, z: 4, tooltip: { show: false } },
        { type: "scatter", data: chosen, symbolSize: 13, itemStyle: { color: "transparent", borderColor: "#fff", borderWidth: 2.5, shadowColor: "rgba(0,0,0,.6)", shadowBlur: 3 }, z: 5 },
      ],
    }, frame());
  };

  const option = () => {
    const px = Number(xs.value), py = Number(ys.value), canBend = px !== py && isNumeric(px) && isNumeric(py);
    const held = kind.value === "contour" && canBend ? contoursOf(px, py) : null;
    kind.querySelector("[value=contour]").disabled = !canBend;
    return held ? contourOption(px, py, held) : cellsOption(px, py);
  };
  const held = chart(box, option, drawnChart => drawnChart.on("click", q => q.data && q.data[3] !== undefined && openTrial(q.data[3], null)));
  for (const list of [xs, ys, kind]) list.addEventListener("change", () => { if (held.drawn) held.draw(); });
  state.listeners.push(() => { if (held.drawn) held.draw(); });
}
