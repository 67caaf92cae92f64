"use strict";
// What each parameter does: importance, slices, parallel coordinates, the map of two.
const MOST_POINTS = 12000;

function drawImportance() {
  const box = document.getElementById("importance");
  if (!box) return;
  const rows = page.importance.slice(0, 10).reverse();
  box.style.height = 52 + 26 * rows.length + "px";
  const names = rows.map(row => row[0].map(p => trials.params[p].name).join(" with "));
  chart(box, () => ({
    grid: { left: 10, right: 60, top: 6, bottom: 28, containLabel: true },
    tooltip: tooltip(p => tip(names[p.dataIndex], [["share", number(rows[p.dataIndex][1], 3)], ["± over trees", number(rows[p.dataIndex][2], 2)]])),
    xAxis: axis({ type: "value", min: 0, axisLabel: { color: color("quiet"), formatter: v => Math.round(100 * v) + " %" } }),
    yAxis: axis({ type: "category", data: names, splitLine: { show: false }, axisLabel: { color: color("ink"), fontSize: 13, width: 240, overflow: "truncate" } }),
    series: [{ type: "bar", barWidth: 12, itemStyle: { color: color("accent"), borderRadius: [0, 3, 3, 0] }, data: rows.map(row => row[1]),
      label: { show: true, position: "right", color: color("quiet"), formatter: p => Math.round(100 * p.value) + " %" } }],
  }));
}

// Points by state of selection; of very many trials, the best and an even choice of the rest.
function drawn() {
  if (count <= MOST_POINTS) return Array.from({ length: count }, (_, i) => i);
  const step = count / MOST_POINTS;
  return Array.from({ length: MOST_POINTS }, (_, i) => i < 2000 ? i : Math.floor(i * step));
}

function slicePoints(param, scale) {
  const on = [], off = [];
  for (const i of drawn()) {
    const x = scale.at(param.values[i]);
    if (x === null || scores[i] === null) continue;
    (isOn(i) ? on : off).push([x, scores[i], i]);
  }
  return { on, off };
}

function drawSlices() {
  const grid = document.getElementById("slices");
  if (!grid) return;
  const single = page.importance.filter(row => row[0].length === 1).map(row => row[0][0]);
  const rank = p => single.includes(p) ? single.indexOf(p) : single.length + p;
  const shown = trials.params.map((_, p) => p).sort((a, b) => rank(a) - rank(b)).slice(0, 12);
  const size = count > 3000 ? 3 : count > 300 ? 5 : 8, range = scoreRange(), room = (range[1] - range[0]) * 0.12 || Math.abs(range[0]) * 0.01;
  for (const p of shown) {
    const param = trials.params[p], scale = axisOf(param);
    const box = element("div", { class: "chart", role: "img", "aria-label": "Score by " + param.name });
    grid.append(box);
    const option = () => {
      const { on, off } = slicePoints(param, scale);
      const tones = overSweeps ? { color: q => okabeIto[trials.sweep[q.data[2]] % okabeIto.length] } : { color: color("accent") };
      const chosen = on.filter(point => point[2] === page.chosen);
      return {
        grid: { left: 62, right: 14, top: 30, bottom: 42 },
        tooltip: tooltip(q => trialTip(q.data[2])),
        brush: { toolbox: [], brushLink: null, xAxisIndex: 0, brushMode: "single", brushType: "rect", transformable: false, throttleType: "debounce", throttleDelay: 150, brushStyle: { color: color("accent-soft"), borderColor: color("accent"), borderWidth: 1 }, outOfBrush: { colorAlpha: 1 } },
        xAxis: xAxis(param.name, scale.type === "category" ? { type: "category", data: scale.data } : { type: scale.type }),
        yAxis: yAxis(metric, { type: "value", min: range[0] - room, max: range[1] + room, axisLabel: { color: color("quiet"), fontSize: 11.5, formatter: tick, showMinLabel: false, showMaxLabel: false } }),
        series: [
          { type: "scatter", progressive: 0, data: off, symbolSize: size, itemStyle: { color: color("quiet"), opacity: 0.12 }, silent: true, clip: true },
          { type: "scatter", progressive: 0, data: on, symbolSize: size, itemStyle: Object.assign({ opacity: count > 3000 ? 0.35 : 0.6 }, tones), clip: true },
          { type: "scatter", data: chosen, symbolSize: size + 6, itemStyle: { color: color("accent"), borderColor: color("paper"), borderWidth: 2 }, z: 5 },
        ],
      };
    };
    let isOwn = false;
    const choose = indices => { isOwn = true; select(indices); isOwn = false; };
    const held = chart(box, option, drawnChart => {
      drawnChart.on("click", q => q.data && q.data[2] !== undefined && openTrial(q.data[2], null));
      drawnChart.dispatchAction({ type: "takeGlobalCursor", key: "brush", brushOption: { brushType: "rect", brushMode: "single" } });
      drawnChart.on("brushEnd", event => {
        const area = event.areas[0];
        if (!area || !area.coordRange) { choose(null); return; }
        const [xs, ys] = area.coordRange, inside = [];
        for (let i = 0; i < count; i++) {
          let x = scale.at(param.values[i]);
          if (x === null || scores[i] === null) continue;
          if (scale.type === "category") x = scale.data.indexOf(x);
          if (x >= xs[0] && x <= xs[1] && scores[i] >= ys[0] && scores[i] <= ys[1]) inside.push(i);
        }
        choose(inside.length ? inside : null);
      });
    });
    state.listeners.push(() => {
      if (!held.drawn) return;
      if (!isOwn) held.drawn.dispatchAction({ type: "brush", areas: [] });
      held.drawn.setOption({ series: option().series });
    });
  }
}

function drawParallel() {
  const box = document.getElementById("parallel");
  if (!box) return;
  const scales = trials.params.slice(0, 12).map(axisOf), range = scoreRange(), room = (range[1] - range[0]) * 0.02;
  // Scores far from the good ones lie at the end of their axis.
  const all = [range[0] - room, range[1] + room], within = v => Math.min(range[1], Math.max(range[0], v));
  // Of many trials the best ones and an even choice of the rest: more lines show no more.
  const lines = () => {
    const scored = drawn().filter(i => scores[i] !== null && (state.selected === null || isOn(i)));
    const rest = state.selected === null ? [] : drawn().filter(i => scores[i] !== null && !isOn(i));
    const few = all => all.length <= 1500 ? all : Array.from({ length: 1500 }, (_, n) => all[n < 200 ? n : Math.floor(n * all.length / 1500)]);
    return few(scored).concat(few(rest));
  };
  const option = () => {
    const kept = lines(), on = kept.filter(isOn), off = kept.filter(i => !isOn(i));
    const line = i => ({ value: scales.map((scale, p) => scale.at(trials.params[p].values[i])).concat([within(scores[i])]), index: i });
    const isMany = on.length > 400;
    return {
      visualMap: { show: false, min: range[0], max: range[1], dimension: scales.length, seriesIndex: 1, inRange: { color: ramp().slice(1, 9) } },
      parallel: { left: 64, right: 80, top: 42, bottom: 24, parallelAxisDefault: { nameTextStyle: { color: color("ink"), fontSize: 12.5 }, nameGap: 16, axisLine: { lineStyle: { color: color("quiet") } }, axisTick: { show: false }, axisLabel: { color: color("quiet"), fontSize: 11 }, areaSelectStyle: { width: 18, borderWidth: 1, borderColor: color("accent"), color: color("accent"), opacity: 0.2 } } },
      parallelAxis: scales.map((scale, p) => Object.assign({ dim: p, name: trials.params[p].name, type: scale.type }, scale.type === "category" ? { data: scale.data } : { scale: true }))
        .concat([{ dim: scales.length, name: metric, type: "value", min: all[0], max: all[1], inverse: !page.higher, nameLocation: page.higher ? "end" : "start", axisLabel: { color: color("quiet"), fontSize: 11, formatter: tick, showMinLabel: false, showMaxLabel: false } }]),
      series: [
        { type: "parallel", progressive: 0, data: off.slice(0, 1500).map(line), lineStyle: { color: color("quiet"), opacity: 0.05, width: 1 }, inactiveOpacity: 0.02, silent: true },
        { type: "parallel", progressive: 0, data: on.map(line), lineStyle: { opacity: isMany ? 0.25 : 0.6, width: isMany ? 1 : 1.4 }, inactiveOpacity: 0.03, activeOpacity: isMany ? 0.25 : 0.8 },
      ],
    };
  };
  let isOwn = false;
  const held = chart(box, option, drawnChart => {
    let wait = 0;
    drawnChart.on("axisareaselected", () => { clearTimeout(wait); wait = setTimeout(() => {
      const axes = drawnChart.getModel().getComponent("parallel").coordinateSystem;
      const intervals = drawnChart.getModel().queryComponents({ mainType: "parallelAxis" }).map(a => [a.get("dim"), a.activeIntervals || []]).filter(a => a[1].length);
      if (!axes || !intervals.length) { isOwn = true; select(null); isOwn = false; return; }
      const inside = [];
      for (let i = 0; i < count; i++) {
        const fits = intervals.every(([dim, ranges]) => {
          let value = dim === scales.length ? within(scores[i]) : scales[dim].at(trials.params[dim].values[i]);
          if (value === null) return false;
          if (dim < scales.length && scales[dim].type === "category") value = scales[dim].data.indexOf(value);
          return ranges.some(r => value >= r[0] && value <= r[1]);
        });
        if (fits) inside.push(i);
      }
      isOwn = true; select(inside); isOwn = false;
    }, 150); });
  });
  state.listeners.push(() => { if (!isOwn && held.drawn) held.draw(); });
}

// The best trial in each cell of two parameters, or a smooth surface through them.
function cellsOf(px, py) {
  const sides = [px, py].map(p => {
    const param = trials.params[p];
    const finite = param.values.filter(v => typeof v === "number");
    const listed = param.distinct.length && param.distinct.length <= 40;
    if (param.kind === "text" || listed) {
      const names = param.distinct.map(setting), keys = param.distinct.map(String);
      return { names, at: v => v === null ? -1 : keys.indexOf(String(v)) };
    }
    const isLog = param.kind === "log", scale = v => isLog ? Math.log10(v) : v, bins = 20;
    let low = Infinity, high = -Infinity;
    for (const v of finite) { low = Math.min(low, scale(v)); high = Math.max(high, scale(v)); }
    const step = (high - low) / bins || 1;
    const names = Array.from({ length: bins }, (_, i) => { const v = low + (i + 0.5) * step; return setting(Number((isLog ? 10 ** v : v).toPrecision(2))); });
    return { names, at: v => typeof v === "number" ? Math.min(bins - 1, Math.floor((scale(v) - low) / step)) : -1 };
  });
  const best = new Map();
  for (let i = 0; i < count; i++) {
    if (scores[i] === null || !isOn(i)) continue;
    const x = sides[0].at(trials.params[px].values[i]), y = sides[1].at(trials.params[py].values[i]);
    if (x < 0 || y < 0) continue;
    const key = x * 1000 + y, held = best.get(key);
    if (held === undefined || (page.higher ? scores[i] > scores[held] : scores[i] < scores[held])) best.set(key, i);
  }
  const cells = Array.from(best, ([key, i]) => [Math.floor(key / 1000), key % 1000, scores[i], i]);
  return { sides, cells };
}

// The cells as nodes of a net, with what is missing filled in by distance, and straight lines between them; levels of it are the contours.
function surface(sides, cells) {
  const w = sides[0].names.length, h = sides[1].names.length, net = Array.from({ length: w }, () => new Array(h).fill(null));
  for (const cell of cells) net[cell[0]][cell[1]] = cell[2];
  const few = cells.filter((_, i) => i % Math.ceil(cells.length / 400) === 0);
  for (let x = 0; x < w; x++) for (let y = 0; y < h; y++) {
    if (net[x][y] !== null) continue;
    let sum = 0, weight = 0;
    for (const cell of few) { const d = ((cell[0] - x) / w) ** 2 + ((cell[1] - y) / h) ** 2, share = 1 / (d * d + 1e-9); sum += share * cell[2]; weight += share; }
    net[x][y] = sum / weight;
  }
  const fine = 96, points = [];
  for (let a = 0; a < fine; a++) for (let b = 0; b < fine; b++) {
    const x = a / (fine - 1) * (w - 1), y = b / (fine - 1) * (h - 1), i = Math.min(Math.floor(x), Math.max(0, w - 2)), j = Math.min(Math.floor(y), Math.max(0, h - 2));
    const p = x - i, q = y - j, i1 = Math.min(i + 1, w - 1), j1 = Math.min(j + 1, h - 1);
    points.push([a, b, (net[i][j] * (1 - p) + net[i1][j] * p) * (1 - q) + (net[i][j1] * (1 - p) + net[i1][j1] * p) * q]);
  }
  return { fine, points };
}

function drawMap() {
  const box = document.getElementById("map");
  if (!box) return;
  const [xs, ys, kind] = ["map-x", "map-y", "map-kind"].map(id => document.getElementById(id));
  trials.params.forEach((param, p) => { for (const list of [xs, ys]) list.append(element("option", { value: String(p) }, param.name)); });
  const pair = page.importance.find(row => row[0].length === 2), single = page.importance.filter(row => row[0].length === 1).map(row => row[0][0]);
  const start = single.length > 1 ? single.slice(0, 2) : pair ? pair[0] : [0, 1];
  xs.value = String(start[0]); ys.value = String(start[1]);
  const option = () => {
    const px = Number(xs.value), py = Number(ys.value), { sides, cells } = cellsOf(px, py), range = scoreRange();
    const isContour = kind.value === "contour" && cells.length > 3;
    const legend = { min: range[0], max: range[1], calculable: false, orient: "vertical", right: 4, top: "middle", itemHeight: 180, itemWidth: 12, precision: 4, textStyle: { color: color("quiet"), fontSize: 11 }, inRange: { color: ramp() }, text: [tick(range[1]), tick(range[0])], formatter: tick };
    const frame = { grid: { left: 84, right: 96, top: 14, bottom: 48 } };
    const sideAxis = (side, name, extra) => Object.assign(extra(name, { type: "category", data: side.names, nameTextStyle: { color: color("quiet"), fontSize: 12 } }));
    if (!isContour) {
      return Object.assign(frame, {
        tooltip: tooltip(q => trialTip(q.data[3])), visualMap: Object.assign({ type: "continuous", dimension: 2 }, legend),
        xAxis: [sideAxis(sides[0], trials.params[px].name, xAxis)],
        yAxis: [sideAxis(sides[1], trials.params[py].name, (name, extra) => axis(Object.assign(extra, { name, nameLocation: "middle", nameGap: 60, splitLine: { show: false } })))],
        series: [{ type: "heatmap", data: cells, itemStyle: { borderColor: color("paper"), borderWidth: 1 }, emphasis: { itemStyle: { borderColor: color("ink"), borderWidth: 2 } } }],
      });
    }
    const { fine, points } = surface(sides, cells), levels = 8, step = (range[1] - range[0]) / levels || 1, tones = ramp();
    const pieces = Array.from({ length: levels }, (_, l) => ({ gte: l ? range[0] + l * step : -Infinity, lt: l < levels - 1 ? range[0] + (l + 1) * step : Infinity, color: tones[Math.round(l * 9 / (levels - 1))], label: number(range[0] + l * step, 4) + " –" }));
    for (const piece of pieces) { if (piece.gte === -Infinity) delete piece.gte; if (piece.lt === Infinity) delete piece.lt; }
    const hidden = { type: "category", data: Array.from({ length: fine }, (_, i) => i), show: false };
    const bare = (side, name, extra) => Object.assign(extra, { name, type: "category", data: side.names, boundaryGap: false, nameLocation: "middle", splitLine: { show: false } });
    return Object.assign(frame, {
      tooltip: tooltip(q => q.seriesIndex === 1 ? trialTip(q.data[3]) : tip("between trials", [[metric, number(q.data[2])]])),
      visualMap: { type: "piecewise", pieces, seriesIndex: 0, dimension: 2, orient: "vertical", right: 0, top: "middle", itemWidth: 12, itemHeight: 12, textStyle: { color: color("quiet"), fontSize: 11 }, hoverLink: false },
      xAxis: [hidden, axis(bare(sides[0], trials.params[px].name, { position: "bottom", nameGap: 26 }))],
      yAxis: [hidden, axis(bare(sides[1], trials.params[py].name, { position: "left", nameGap: 60 }))],
      series: [
        { type: "heatmap", progressive: 0, xAxisIndex: 0, yAxisIndex: 0, data: points, itemStyle: { borderWidth: 0 }, emphasis: { disabled: true } },
        { type: "scatter", xAxisIndex: 1, yAxisIndex: 1, data: cells, symbolSize: 5, itemStyle: { color: "transparent", borderColor: "rgba(255,255,255,.85)", borderWidth: 1 } },
      ],
    });
  };
  const held = chart(box, option, drawnChart => drawnChart.on("click", q => q.data && q.data[3] !== undefined && openTrial(q.data[3], null)));
  for (const list of [xs, ys, kind]) list.addEventListener("change", () => { if (held.drawn) held.draw(); });
  state.listeners.push(() => { if (held.drawn) held.draw(); });
}
