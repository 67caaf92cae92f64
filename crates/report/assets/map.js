"use strict";
// Two parameters at once: cells, or contours of a surface through the best trials.
const TIDY = 20, LEVELS = 8, FINE = 72;

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
  const best = new Map();
  for (let i = 0; i < count; i++) {
    if (scores[i] === null || !isOn(i)) continue;
    const x = sides[0].at(trials.params[px].values[i]), y = sides[1].at(trials.params[py].values[i]);
    if (x < 0 || y < 0) continue;
    const key = x * 1000 + y, held = best.get(key);
    if (held === undefined || (page.higher ? scores[i] > scores[held] : scores[i] < scores[held])) best.set(key, i);
  }
  return { sides, best };
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

// The surface on a fine net and its contours, in the unit square; nothing where there is no trial near.
function contoursOf(px, py) {
  const scales = [px, py].map(p => axisOf(trials.params[p])), { best } = cellsOf(px, py);
  const share = (scale, value) => { const place = scale.at(value); return place === null ? null : (place - scale.low + scale.pad) / (scale.high - scale.low + 2 * scale.pad); };
  const points = Array.from(best.values(), i => [share(scales[0], trials.params[px].values[i]), share(scales[1], trials.params[py].values[i]), within(scores[i]), i]).filter(point => point[0] !== null && point[1] !== null);
  const spread = axis => new Set(points.map(point => point[axis])).size;
  const at = points.length > 3 && spread(0) > 1 && spread(1) > 1 ? plate(points) : null;
  if (!at) return null;
  // Half the widest gap between neighbors, or the net would have holes between the values of a grid.
  const gap = axis => { const all = Array.from(new Set(points.map(point => point[axis]))).sort((a, b) => a - b); return Math.max(0.06, ...all.slice(1).map((v, i) => (v - all[i]) * 0.75)); };
  const [gx, gy] = [gap(0), gap(1)], net = new Float64Array(FINE * FINE);
  for (let b = 0; b < FINE; b++) for (let a = 0; a < FINE; a++) {
    const x = (a + 0.5) / FINE, y = (b + 0.5) / FINE;
    const isNear = points.some(point => ((point[0] - x) / gx) ** 2 + ((point[1] - y) / gy) ** 2 <= 1);
    net[b * FINE + a] = isNear ? within(at(x, y)) : NaN;
  }
  const step = (range[1] - range[0]) / LEVELS, levels = [range[0] - 1].concat(Array.from({ length: LEVELS - 1 }, (_, l) => range[0] + (l + 1) * step));
  return { scales, points, levels, bands: echarts.contours().size([FINE, FINE]).thresholds(levels)(net) };
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
  if (start.every(isNumeric)) kind.value = "contour";
  const legend = () => ({ type: "continuous", min: range[0], max: range[1], calculable: false, orient: "vertical", right: 8, top: "middle", itemHeight: 190, itemWidth: 10, textStyle: { color: color("quiet"), fontSize: 11 }, inRange: { color: ramp() }, text: [scoreTick(range[1]), scoreTick(range[0])], textGap: 8 });
  const frame = { grid: { left: 84, right: 96, top: 14, bottom: 48 } };
  const up = (name, extra) => axis(Object.assign({ name, nameLocation: "middle", nameGap: 60, splitLine: { show: false } }, extra));

  const cellsOption = (px, py) => {
    const { sides, best } = cellsOf(px, py);
    const data = Array.from(best, ([key, i]) => [Math.floor(key / 1000), key % 1000, within(scores[i]), i]);
    const short = name => name.length > 12 ? name.slice(0, 11) + "…" : name;
    return Object.assign({
      tooltip: tooltip(q => trialTip(q.data[3])), visualMap: Object.assign({ dimension: 2 }, legend()),
      xAxis: xAxis(trials.params[px].name, { type: "category", data: sides[0].names, axisLabel: { formatter: short } }),
      yAxis: up(trials.params[py].name, { type: "category", data: sides[1].names, axisLabel: { formatter: short } }),
      series: [{ type: "heatmap", data, itemStyle: { borderColor: color("paper"), borderWidth: 1 }, emphasis: { itemStyle: { borderColor: color("ink"), borderWidth: 2 } } }],
    }, frame);
  };

  const contourOption = (px, py, held) => {
    const tones = ramp(), tone = level => tones[Math.round(level * (tones.length - 1) / (LEVELS - 1))];
    const path = (band, area) => band.coordinates.map(polygon => polygon.map(ring => "M" + ring.map(([a, b]) => (area.x + a / FINE * area.width).toFixed(1) + " " + (area.y + (1 - b / FINE) * area.height).toFixed(1)).join("L") + "Z").join("")).join("");
    // A label stands where the longest of its lines is farthest from the frame.
    const place = band => {
      const rings = band.coordinates.flat(), ring = rings.reduce((a, b) => b.length > a.length ? b : a, []);
      const inner = ([a, b]) => Math.min(a, b, FINE - a, FINE - b), spot = ring.reduce((a, b) => inner(b) > inner(a) ? b : a, ring[0] || [0, 0]);
      return ring.length > 12 && inner(spot) > 5 ? spot : null;
    };
    const draw = (params, api) => {
      const level = api.value(2), band = held.bands[level], area = params.coordSys, d = path(band, area);
      if (!d) return null;
      const children = [{ type: "path", shape: { pathData: d }, style: { fill: tone(level), stroke: level ? "rgba(255,255,255,.55)" : "none", lineWidth: 1 } }];
      return { type: "group", children, silent: true };
    };
    const label = (params, api) => {
      const level = api.value(2), spot = level ? place(held.bands[level]) : null, area = params.coordSys;
      if (!spot) return null;
      return { type: "text", silent: true, x: area.x + spot[0] / FINE * area.width, y: area.y + (1 - spot[1] / FINE) * area.height, style: { text: scoreTick(held.levels[level]), fill: "#fff", stroke: "rgba(0,0,0,.55)", lineWidth: 2.5, font: "11px system-ui, sans-serif", align: "center", verticalAlign: "middle" } };
    };
    const every = held.levels.map((_, level) => [held.scales[0].low, held.scales[1].low, level]);
    const at = p => point => held.scales[p].at(trials.params[p ? py : px].values[point[3]]);
    const data = held.points.map(point => [at(0)(point), at(1)(point), point[2], point[3]]), chosen = data.filter(point => point[3] === page.chosen);
    return Object.assign({
      tooltip: tooltip(q => trialTip(q.data[3])), visualMap: Object.assign({ dimension: 2, seriesIndex: 1 }, legend()),
      xAxis: xAxis(trials.params[px].name, marked(held.scales[0])), yAxis: up(trials.params[py].name, marked(held.scales[1])),
      series: [
        { type: "custom", data: every, renderItem: draw, silent: true, clip: true, z: 1, tooltip: { show: false } },
        { type: "scatter", data, symbolSize: 6, itemStyle: { borderColor: "rgba(255,255,255,.75)", borderWidth: 1 }, z: 3 },
        { type: "custom", data: every, renderItem: label, silent: true, z: 4, tooltip: { show: false } },
        { type: "scatter", data: chosen, symbolSize: 13, itemStyle: { color: "transparent", borderColor: "#fff", borderWidth: 2.5, shadowColor: "rgba(0,0,0,.6)", shadowBlur: 3 }, z: 5 },
      ],
    }, frame);
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
