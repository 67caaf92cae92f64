"use strict";
// The learning curves, the model, and how good it is.
function bandSeries(curve, tone, name, isStrong) {
  const at = values => curve.epochs.map((epoch, i) => [epoch, values[i]]);
  const series = [];
  if (curve.val) {
    if (isStrong) {
      series.push({ type: "line", stack: name, data: at(curve.low), symbol: "none", lineStyle: { opacity: 0 }, silent: true, tooltip: { show: false } });
      series.push({ type: "line", stack: name, data: curve.epochs.map((epoch, i) => [epoch, curve.high[i] - curve.low[i]]), symbol: "none", lineStyle: { opacity: 0 }, areaStyle: { color: tone, opacity: 0.15 }, silent: true, tooltip: { show: false } });
    }
    series.push({ type: "line", name, data: at(curve.val), symbol: "circle", symbolSize: 4, showSymbol: curve.epochs.length < 3, lineStyle: { color: tone, width: isStrong ? 2.4 : 1.4 }, itemStyle: { color: tone } });
  }
  if (isStrong && curve.train.some(v => v !== null)) series.push({ type: "line", name: name + ", training", data: at(curve.train), symbol: "none", lineStyle: { color: tone, width: 1.6, type: "dashed" }, itemStyle: { color: tone } });
  return series;
}

// The curves of some trials; those behind them are drawn faintly, as far as the scores of interest go.
function curveOption(indices, behind = []) {
  const strong = indices.length <= 2;
  const tones = [color("accent"), color("second")].concat(okabeIto);
  let low = Infinity, high = -Infinity;
  const series = behind.map(i => ({ type: "line", data: details[i].curve.epochs.map((epoch, n) => [epoch, details[i].curve.val[n]]), symbol: "none", silent: true, lineStyle: { color: color("quiet"), width: 1, opacity: 0.22 }, tooltip: { show: false } }));
  series.push(...indices.flatMap((i, place) => {
    const curve = details[i].curve;
    for (const values of [curve.val, curve.low, curve.high, curve.train]) for (const v of values || []) if (v !== null) { low = Math.min(low, v); high = Math.max(high, v); }
    return bandSeries(curve, indices.length > 8 ? (place ? color("quiet") : color("accent")) : tones[place % tones.length], named(i), strong || place === 0);
  }));
  for (const i of behind) for (const v of details[i].curve.val) if (v !== null) { low = Math.min(low, within(v)); high = Math.max(high, within(v)); }
  const all = indices.concat(behind), longest = Math.max(...all.map(i => details[i].curve.epochs[details[i].curve.epochs.length - 1]));
  const isLog = longest > 30, start = Math.min(...indices.map(i => details[i].curve.epochs[0])), extra = (high - low) * 0.05 || 0.01, marks = rounds(low, high, 5);
  const rungs = page.rungs || [];
  if (rungs.length && series.length) series[series.length - 1].markLine = {
    silent: true, symbol: "none", lineStyle: { color: color("quiet"), type: "dotted", width: 1, opacity: 0.8 },
    label: { color: color("quiet"), fontSize: 11, formatter: q => q.name, position: "end", distance: 4 },
    data: rungs.map(([epochs, reached], i) => ({ xAxis: epochs, name: reached.toLocaleString("en") + (i ? "" : " trials") })),
  };
  return {
    grid: { left: 62, right: 24, top: rungs.length ? 52 : 34, bottom: 44 },
    tooltip: tooltip(q => tip("epoch " + q[0].value[0], q.filter(p => p.seriesName && !p.seriesName.startsWith("series")).slice(0, 8).map(p => [p.seriesName, number(p.value[1])])), { trigger: "axis" }),
    xAxis: xAxis("epoch", { type: isLog ? "log" : "value", min: start === 0 && !isLog ? 0 : 1, max: longest, minInterval: 1, axisLabel: { formatter: v => tick(Math.round(v)) } }),
    yAxis: yAxis(metric, { type: "value", nameGap: rungs.length ? 30 : 12, min: low - extra, max: high + extra, axisLabel: { formatter: ticks(low, high), customValues: marks }, axisTick: { show: false, customValues: marks } }),
    series,
  };
}

function drawCurves() {
  const box = document.getElementById("curve");
  if (!box) return;
  const hasCurve = i => i !== null && details[i] && details[i].curve;
  const shown = () => {
    const others = isNarrowed() ? Object.keys(details).map(Number).filter(isOn) : [];
    const all = [page.chosen].concat(state.open !== null ? [state.open] : [], others.slice(0, 40));
    return Array.from(new Set(all)).filter(hasCurve);
  };
  const behind = () => {
    if (isNarrowed() || page.on === "train") return [];
    const all = Object.keys(details).map(Number).filter(i => hasCurve(i) && details[i].curve.val && i !== page.chosen);
    return all.filter((_, n) => n % Math.ceil(all.length / 100) === 0);
  };
  const held = chart(box, () => shown().length ? curveOption(shown(), behind()) : {});
  state.listeners.push(() => { if (held.drawn) held.draw(); });
}

function weightsOption(weights) {
  const rows = weights.slice().reverse(), names = rows.map(w => features[w[0]]);
  return {
    grid: { left: 10, right: 30, top: 4, bottom: 26, containLabel: true },
    tooltip: tooltip(q => { const w = rows[q.dataIndex]; return tip(features[w[0]], [["per standard deviation", number(w[1], 4)], ["± over runs", number(w[2], 2)]]); }),
    xAxis: axis({ type: "value" }),
    yAxis: axis({ type: "category", data: names, splitLine: { show: false }, axisLabel: { color: color("ink"), fontSize: 12.5, width: 240, overflow: "truncate", interval: 0 } }),
    series: [
      { type: "custom", silent: true, data: rows.map((w, i) => [w[1] - w[2], w[1] + w[2], i]), encode: { x: [0, 1], y: 2 },
        renderItem: (_, api) => { const a = api.coord([api.value(0), api.value(2)]), b = api.coord([api.value(1), api.value(2)]); return { type: "line", shape: { x1: a[0], y1: a[1], x2: b[0], y2: b[1] }, style: { stroke: color("accent"), lineWidth: 2, opacity: 0.5 } }; } },
      { type: "scatter", data: rows.map((w, i) => [w[1], i]), symbolSize: 9, itemStyle: { color: color("accent") }, markLine: { silent: true, symbol: "none", label: { show: false }, lineStyle: { color: color("quiet"), type: "solid", width: 1 }, data: [{ xAxis: 0 }] } },
    ],
  };
}

function drawWeights() {
  const box = document.getElementById("weights");
  const detail = page.chosen === null ? null : details[page.chosen];
  if (!box || !detail || !detail.weights.length) return;
  box.style.height = 64 + 21 * detail.weights.length + "px";
  chart(box, () => weightsOption(detail.weights));
}

function drawPaths() {
  const path = page.path, c = trials.params.find(p => p.path === "model.C");
  if (!document.getElementById("c-path") || path.length < 3) return;
  const scale = axisOf(c), x = i => scale.at(c.values[i]), kept = path.filter(i => scores[i] !== null && x(i) !== null), error = i => errors[i] || 0;
    // As much as tells the values near the best apart: the far end of a penalty is bad anyway.
  const near = kept.map(i => Math.abs(scores[i] - best)).sort((a, b) => a - b), reach = Math.max(4 * near[Math.floor(near.length / 2)], 3 * Math.max(...kept.filter(i => scores[i] === best).map(error), 0)) || 0.01;
  const far = Math.min(reach, Math.max(...kept.map(i => Math.abs(scores[i] - best) + error(i)))), ends = page.higher ? [best - far, best + reach * 0.2] : [best - reach * 0.2, best + far];
  const top = kept.find(i => scores[i] === best) ?? kept[0];
  const low = Math.min(ends[0], ...kept.filter(i => Math.abs(scores[i] - best) <= far).map(i => scores[i] - error(i))), high = Math.max(ends[1], best + error(top));
  const marks = rounds(low, high, 5);
  chart(document.getElementById("c-path"), () => ({
    tooltip: tooltip(q => { const p = q.find(p => p.seriesName === metric); return p ? trialTip(p.value[2]) : tip("", []); }, { trigger: "axis" }),
    xAxis: xAxis("C", marked(scale)), yAxis: yAxis(metric, { type: "value", min: low, max: high, axisLabel: { formatter: ticks(low, high), customValues: marks }, axisTick: { show: false, customValues: marks } }),
    series: [
      { type: "line", stack: "band", data: kept.map(i => [x(i), scores[i] - error(i)]), symbol: "none", lineStyle: { opacity: 0 }, silent: true },
      { type: "line", stack: "band", data: kept.map(i => [x(i), 2 * error(i)]), symbol: "none", lineStyle: { opacity: 0 }, areaStyle: { color: color("accent"), opacity: 0.15 }, silent: true },
      { type: "line", name: metric, data: kept.map(i => ({ value: [x(i), scores[i], i], itemStyle: i === page.chosen ? { color: color("second") } : {} })), symbolSize: i => i[2] === page.chosen ? 11 : 5, symbol: "circle", showAllSymbol: true, lineStyle: { color: color("accent"), width: 2 }, itemStyle: { color: color("accent") } },
    ],
  }), drawnChart => drawnChart.on("click", q => q.data && q.data.value && q.data.value[2] !== undefined && openTrial(q.data.value[2], null)));
  const held = page.details.paths, short = name => name.length > 18 ? name.slice(0, 17) + "…" : name;
  const lines = held.features.map((f, n) => [f, path.map((i, place) => held.values[place] && x(i) !== null ? [x(i), held.values[place][n]] : null).filter(Boolean)]);
  const values = lines.flatMap(([, data]) => data.map(point => point[1])), span = [Math.min(0, ...values), Math.max(0, ...values)], spare = (span[1] - span[0]) * 0.05 || 1;
  const box = document.getElementById("coefficient-path"), steps = rounds(span[0] - spare, span[1] + spare, 6);
  const option = () => {
    // The names at the right ends, pushed apart where they would lie on each other.
    const inside = box.clientHeight - 74, top = value => 30 + (span[1] + spare - value) / (span[1] - span[0] + 2 * spare) * inside;
    const order = lines.map(([, data], n) => [n, data.length ? top(data[data.length - 1][1]) : 0]).sort((a, b) => a[1] - b[1]);
    for (let n = 1; n < order.length; n++) order[n][1] = Math.max(order[n][1], order[n - 1][1] + 14);
    for (let n = order.length - 1, limit = 34 + inside; n >= 0; n--) { order[n][1] = Math.min(order[n][1], limit); limit = order[n][1] - 14; }
    const placed = new Map(order);
    return {
      grid: { left: 62, right: 138, top: 30, bottom: 44 },
      tooltip: tooltip(q => tip("C = " + scale.label(q[0].value[0]), q.slice().sort((a, b) => b.value[1] - a.value[1]).map(p => [p.seriesName, number(p.value[1], 4)])), { trigger: "axis" }),
      xAxis: xAxis("C", marked(scale)),
      yAxis: yAxis("coefficient", { type: "value", min: span[0] - spare, max: span[1] + spare, axisLabel: { customValues: steps }, axisTick: { show: false, customValues: steps } }),
      series: lines.map(([f, data], i) => ({ type: "line", name: features[f], data, symbol: "none", lineStyle: { color: okabeIto[i % 8], width: 1.8 }, itemStyle: { color: okabeIto[i % 8] },
        endLabel: { show: true, formatter: () => "{dot|●} " + short(features[f]), color: color("ink"), fontSize: 11, rich: { dot: { color: okabeIto[i % 8], fontSize: 11 } } }, labelLayout: { y: placed.get(i), verticalAlign: "middle" } })),
    };
  };
  chart(box, option);
}

// A trial's runs: `[id, fold, repeat, restart, state, reason, converged, epochs, val, train, n_val, seconds]`, as far as the page holds them.
function runsOf(index) {
  if (details[index]) return details[index].runs;
  const held = page.details.scores[index], layout = page.details.layouts[trials.sweep[index]];
  return (held || []).map((score, n) => [null, ...layout[n], null, null, null, null, page.on === "train" ? null : score, score, null, null]);
}

function foldsOption(index) {
  const rows = runsOf(index).filter(run => run[8] !== null || (page.on === "train" && run[9] !== null));
  const value = run => page.on === "train" ? run[9] : run[8];
  const mean = rows.reduce((sum, run) => sum + value(run), 0) / (rows.length || 1);
  const repeats = Math.max(0, ...rows.map(run => run[2])) + 1;
  const name = run => repeats > 1 ? "fold " + run[1] + ", repeat " + run[2] : "fold " + run[1];
  return {
    grid: { left: 10, right: 30, top: 24, bottom: 42, containLabel: true },
    tooltip: tooltip(q => { const run = rows[q.dataIndex]; return tip(name(run), [[metric, number(value(run))], ["held-out rows", run[10] === null ? "–" : run[10].toLocaleString("en")], ["run", run[0] ?? "–"]]); }),
    xAxis: xAxis(metric + " of " + named(index), { type: "value", splitLine: { lineStyle: { color: color("rule") } }, axisLabel: { formatter: ticks(Math.min(...rows.map(value)), Math.max(...rows.map(value))) } }),
    yAxis: axis({ type: "category", data: [""], splitLine: { show: false } }),
    series: [{ type: "scatter", data: rows.map(run => [value(run), 0]), symbolSize: 13, itemStyle: { color: color("accent"), opacity: 0.75, borderColor: color("paper"), borderWidth: 1 },
      labelLayout: { moveOverlap: "shiftX" }, label: { show: rows.length <= 12, position: "top", distance: 8, color: color("quiet"), formatter: q => String(rows[q.dataIndex][1]) },
      markLine: { silent: true, precision: 12, symbol: "none", lineStyle: { color: color("second"), type: "dashed", width: 1.5 }, label: { color: color("quiet"), formatter: "mean", position: "end" }, data: [{ xAxis: mean }] } }],
  };
}

function drawQuality() {
  const folds = document.getElementById("folds");
  if (folds && page.chosen !== null && details[page.chosen]) chart(folds, () => foldsOption(page.chosen));
  const held = page.quality;
  if (!held) return;
  const unit = (name, extra) => Object.assign({ type: "value", min: 0, max: 1, scale: false }, extra);
  const frame = (x, y, data, reference, area) => () => ({
    tooltip: tooltip(q => tip(y, [[x, number(q[0].value[0], 3)], [y, number(q[0].value[1], 3)]]), { trigger: "axis" }),
    xAxis: xAxis(x, unit()), yAxis: yAxis(y, unit()),
    series: [
      { type: "line", data: reference, symbol: "none", silent: true, lineStyle: { color: color("quiet"), type: "dotted", width: 1.5 }, tooltip: { show: false } },
      { type: "line", data, symbol: "none", lineStyle: { color: color("accent"), width: 2.2 }, areaStyle: area ? { color: color("accent"), opacity: 0.08 } : undefined },
    ],
  });
  chart(document.getElementById("roc"), frame("false positive rate", "true positive rate, area " + number(held.area, 4), held.roc, [[0, 0], [1, 1]], true));
  chart(document.getElementById("precision-recall"), frame("recall", "precision, average " + number(held.average_precision, 4), held.precision_recall, [[0, held.rate], [1, held.rate]], false));
  chart(document.getElementById("calibration"), () => ({
    tooltip: tooltip(q => { const b = held.calibration[q.dataIndex]; return tip("tenth of " + b[4].toLocaleString("en") + " rows", [["predicted", number(b[0], 3)], ["observed", number(b[1], 3)], ["95 %", number(b[2], 3) + " – " + number(b[3], 3)]]); }),
    xAxis: xAxis("predicted probability", unit()), yAxis: yAxis("observed rate", unit()),
    series: [
      { type: "line", data: [[0, 0], [1, 1]], symbol: "none", silent: true, lineStyle: { color: color("quiet"), type: "dotted", width: 1.5 } },
      { type: "custom", silent: true, data: held.calibration, encode: { x: 0, y: [2, 3] }, renderItem: (_, api) => { const a = api.coord([api.value(0), api.value(2)]), b = api.coord([api.value(0), api.value(3)]); return { type: "line", shape: { x1: a[0], y1: a[1], x2: b[0], y2: b[1] }, style: { stroke: color("accent"), lineWidth: 1.5, opacity: 0.6 } }; } },
      { type: "scatter", data: held.calibration.map(b => [b[0], b[1]]), symbolSize: 9, itemStyle: { color: color("accent") } },
    ],
  }));
}
