"use strict";
// What each parameter does: importance, slices, parallel coordinates, the map of two.
// Of a canvas with more, Chromium prints only what was drawn last.
const MOST_POINTS = 12000, MOST_ON_PAPER = 2500;

function drawImportance() {
  const box = document.getElementById("importance");
  if (!box) return;
  const rows = page.importance.slice(0, 10).reverse();
  box.style.height = 52 + 26 * rows.length + "px";
  const names = rows.map(row => row[0].map(p => trials.params[p].name).join(" with "));
  chart(box, () => ({
    grid: { left: 10, right: 60, top: 6, bottom: 28, containLabel: true },
    tooltip: tooltip(p => tip(names[p.dataIndex], [["share", number(rows[p.dataIndex][1], 3)], ["± over trees", number(rows[p.dataIndex][2], 2)]])),
    xAxis: axis({ type: "value", min: 0, splitNumber: box.clientWidth < 500 ? 3 : 6, axisLabel: { color: color("quiet"), formatter: v => Math.round(100 * v) + " %" } }),
    yAxis: axis({ type: "category", data: names, splitLine: { show: false }, axisLabel: { color: color("ink"), fontSize: 13, width: 240, overflow: "truncate" } }),
    series: [{ type: "bar", barWidth: 12, itemStyle: { color: color("accent"), borderRadius: [0, 3, 3, 0] }, data: rows.map(row => row[1]),
      label: { show: true, position: "right", color: color("quiet"), formatter: p => Math.round(100 * p.value) + " %" } }],
  }));
}

// Points by state of selection; of very many trials, the best and an even choice of the rest.
function drawn() {
  const most = isPaper() ? MOST_ON_PAPER : MOST_POINTS, step = count / most;
  if (count <= most) return Array.from({ length: count }, (_, i) => i);
  return Array.from({ length: most }, (_, i) => i < most / 6 ? i : Math.floor(i * step));
}

function slicePoints(param, scale) {
  const on = [], off = [];
  for (const i of drawn()) {
    const place = scale.at(param.values[i]);
    if (place === null || scores[i] === null) continue;
    const x = scale.kind === "text" && count > 30 ? place + (jitter(i) - 0.5) * 0.5 : place;
    (isOn(i) ? on : off).push({ value: [x, within(scores[i]), i], symbol: scores[i] === within(scores[i]) ? "circle" : "triangle" });
  }
  return { on, off };
}

// The best score in each stretch of a scale: its edge towards better scores.
function edge(param, scale) {
  // Where nearly every trial has a value of its own, single ones say more of the other parameters than of this one.
  const isGrid = trials.params.length === 1 || (param.distinct.length > 0 && param.distinct.length * 2 <= count);
  const steps = isGrid ? null : Math.min(24, Math.max(4, Math.round(Math.sqrt(count)))), tops = new Map();
  for (let i = 0; i < count; i++) {
    const x = scale.at(param.values[i]);
    if (x === null || scores[i] === null) continue;
    const key = steps ? Math.min(steps - 1, Math.floor((x - scale.low) / (scale.high - scale.low) * steps)) : x;
    const held = tops.get(key);
    if (!held || (page.higher ? scores[i] > held[1] : scores[i] < held[1])) tops.set(key, [x, scores[i]]);
  }
  return Array.from(tops.values()).sort((a, b) => a[0] - b[0]).map(([x, score]) => [x, within(score)]);
}

function drawSlices() {
  const grid = document.getElementById("slices");
  if (!grid) return;
  const single = page.importance.filter(row => row[0].length === 1).map(row => row[0][0]);
  const rank = p => single.includes(p) ? single.indexOf(p) : single.length + p;
  const shown = trials.params.map((_, p) => p).sort((a, b) => rank(a) - rank(b)).slice(0, 12);
  const size = count > 3000 ? 3 : count > 300 ? 5 : 8;
  grid.classList.toggle("one", shown.length === 1);
  const legend = document.getElementById("sweep-colors");
  if (legend) page.sweeps.forEach((sweep, n) => {
    const dot = element("span", { class: "dot" });
    dot.style.background = sweepColor(n);
    legend.append(element("span", {}, dot, sweep.name));
  });
  for (const p of shown) {
    const param = trials.params[p], scale = axisOf(param);
    const box = element("div", { class: "chart", role: "img", "aria-label": "Score by " + param.name });
    grid.append(box);
    const option = () => {
      const { on, off } = slicePoints(param, scale);
      const tones = overSweeps ? { color: q => sweepColor(trials.sweep[q.data.value[2]]) } : { color: color("accent") };
      const chosen = on.filter(point => point.value[2] === page.chosen);
      return {
        grid: { left: 62, right: 14, top: 30, bottom: 42 },
        tooltip: tooltip(q => trialTip(q.data.value[2])),
        brush: { toolbox: [], brushLink: null, xAxisIndex: 0, brushMode: "single", brushType: "rect", transformable: false, throttleType: "debounce", throttleDelay: 150, brushStyle: { color: color("accent-soft"), borderColor: color("accent"), borderWidth: 1 }, outOfBrush: { colorAlpha: 1 } },
        xAxis: xAxis(param.name, marked(scale)),
        yAxis: scoreAxis(),
        series: [
          { type: "scatter", progressive: 0, data: off, symbolSize: size, itemStyle: { color: color("quiet"), opacity: 0.12 }, silent: true },
          { type: "scatter", progressive: 0, data: on, symbolSize: size, itemStyle: Object.assign({ opacity: count > 3000 ? 0.28 : 0.5 }, tones) },
          { type: "line", data: scale.kind === "text" || overSweeps ? [] : edge(param, scale), symbol: "none", silent: true, lineStyle: { color: color("ink"), width: 1.2, opacity: 0.55 }, tooltip: { show: false } },
          { type: "scatter", data: chosen, symbolSize: size + 6, itemStyle: overSweeps ? { color: "transparent", borderColor: color("ink"), borderWidth: 2 } : { color: color("second"), borderColor: color("paper"), borderWidth: 2 }, z: 5 },
        ],
      };
    };
    let isOwn = false;
    const choose = indices => { isOwn = true; select(indices); isOwn = false; };
    const held = chart(box, option, drawnChart => {
      drawnChart.on("click", q => q.data && q.data.value && openTrial(q.data.value[2], null));
      drawnChart.dispatchAction({ type: "takeGlobalCursor", key: "brush", brushOption: { brushType: "rect", brushMode: "single" } });
      drawnChart.on("brushEnd", event => {
        const area = event.areas[0];
        if (!area || !area.coordRange) { choose(null); return; }
        const [xs, ys] = area.coordRange, inside = [];
        for (let i = 0; i < count; i++) {
          const x = scale.at(param.values[i]), y = scores[i] === null ? null : within(scores[i]);
          if (x !== null && y !== null && x >= xs[0] && x <= xs[1] && y >= ys[0] && y <= ys[1]) inside.push(i);
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
  const scales = trials.params.slice(0, 12).map(axisOf);
  // Of many trials the best ones and an even choice of the rest: more lines show no more. The best are drawn last.
  const few = all => (all.length <= 1500 ? all.slice() : Array.from({ length: 1500 }, (_, n) => all[n < 200 ? n : Math.floor(n * all.length / 1500)])).reverse();
  const option = () => {
    const scored = drawn().filter(i => scores[i] !== null), on = few(scored.filter(isOn)), off = few(scored.filter(i => !isOn(i)));
    const line = (i, style) => ({ lineStyle: style, value: scales.map((scale, p) => scale.at(trials.params[p].values[i])).concat([within(scores[i])]), index: i });
    const isMany = on.length > 400, label = { color: color("ink"), fontSize: 11, backgroundColor: color("paper"), padding: [1, 4], borderRadius: 3 };
    const named = name => name.length > 22 ? name.slice(0, 21) + "…" : name;
    return {
      parallel: { left: 64, right: 84, top: 42, bottom: 24, parallelAxisDefault: { nameTextStyle: { color: color("ink"), fontSize: 12.5 }, nameGap: 16, axisLine: { lineStyle: { color: color("quiet") } }, axisTick: { show: false }, areaSelectStyle: { width: 18, borderWidth: 1, borderColor: color("accent"), color: color("accent"), opacity: 0.2 } } },
      parallelAxis: scales.map((scale, p) => ({ dim: p, name: named(trials.params[p].name), type: "value", scale: true, min: scale.low - scale.pad, max: scale.high + scale.pad, axisLabel: Object.assign({ formatter: scale.label, customValues: scale.marks }, label) }))
        .concat([{ dim: scales.length, name: metric, type: "value", scale: true, min: range[0] - room, max: range[1] + room, inverse: !page.higher, nameLocation: page.higher ? "end" : "start", axisLabel: Object.assign({ formatter: scoreTick, customValues: rounds(range[0], range[1], 6) }, label) }]),
      series: [
        { type: "parallel", progressive: 0, data: off.map(i => line(i)), lineStyle: { color: color("quiet"), opacity: 0.05, width: 1 }, inactiveOpacity: 0.02, silent: true },
        { type: "parallel", progressive: 0, tooltip: tooltip(q => trialTip(q.data.index)), data: on.map(i => line(i, { color: tone(level(scores[i])) })), lineStyle: { opacity: isMany ? 0.3 : 0.7, width: isMany ? 1 : 1.5 }, inactiveOpacity: 0.03, activeOpacity: isMany ? 0.3 : 0.8 },
      ],
    };
  };
  let isOwn = false;
  const choose = indices => { isOwn = true; select(indices); isOwn = false; };
  const held = chart(box, option, drawnChart => {
    let wait = 0;
    drawnChart.on("click", q => q.data && q.data.index !== undefined && openTrial(q.data.index, null));
    drawnChart.on("axisareaselected", () => { clearTimeout(wait); wait = setTimeout(() => {
      const intervals = drawnChart.getModel().queryComponents({ mainType: "parallelAxis" }).map(a => [a.get("dim"), a.activeIntervals || []]).filter(a => a[1].length);
      if (!intervals.length) { choose(null); return; }
      const inside = [];
      for (let i = 0; i < count; i++) {
        const fits = intervals.every(([dim, ranges]) => {
          const value = dim < scales.length ? scales[dim].at(trials.params[dim].values[i]) : scores[i] === null ? null : within(scores[i]);
          return value !== null && ranges.some(r => value >= r[0] && value <= r[1]);
        });
        if (fits) inside.push(i);
      }
      choose(inside);
    }, 150); });
  });
  state.listeners.push(() => { if (!isOwn && held.drawn) held.draw(); });
}
