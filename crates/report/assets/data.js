"use strict";
// The page's data, and what every chart needs of them. Texts from files only ever become text nodes.
const page = JSON.parse(document.getElementById("data").textContent);
const trials = page.trials;
const count = trials.trial.length;
const metric = page.metric;
const scores = trials.scores[metric].mean;
const errors = trials.scores[metric].se || [];
const details = page.details.trials;
const features = page.details.features;
const overSweeps = page.sweeps.length > 1;

// The trials that are selected by dragging in a chart and those that the filter takes (null: all), and the one that is open.
const state = { selected: null, filtered: null, open: null, listeners: [] };

function tell() { for (const listener of state.listeners) listener(); }

function select(indices) {
  state.selected = indices && indices.length < count ? new Set(indices) : null;
  tell();
}

// The filter does what a mouse does in a chart, for those who have none.
function sift(holds) {
  const kept = holds ? Array.from({ length: count }, (_, i) => i).filter(holds) : null;
  state.filtered = kept && kept.length < count ? new Set(kept) : null;
  tell();
}

function isOn(index) { return (state.selected === null || state.selected.has(index)) && (state.filtered === null || state.filtered.has(index)); }
function isNarrowed() { return state.selected !== null || state.filtered !== null; }

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key === "class") made.className = value;
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value);
  }
  for (const child of children) if (child !== null && child !== undefined) made.append(child);
  return made;
}

function number(value, digits = 5) {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return String(value);
  if (value === 0) return digits > 4 ? (0).toFixed(digits) : "0";
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e6) return value.toExponential(Math.min(3, digits - 1));
  const whole = size < 1 ? 0 : Math.floor(Math.log10(size)) + 1;
  return value.toFixed(Math.max(0, digits - whole));
}

// A label of an axis: no more digits than it needs, and a true minus.
function tick(value) {
  const size = Math.abs(value), text = size >= 1e5 || (size > 0 && size < 1e-4) ? value.toExponential().replace("e+", "e") : String(Number(value.toPrecision(4)));
  return text.replace("-", "−").replace("e−", "e-");
}

// Labels of an axis from low to high, all with the decimals that tell neighbors apart.
function ticks(low, high) {
  const step = Math.abs(high - low) / 5, decimals = step > 0 ? Math.min(9, Math.max(0, Math.ceil(-Math.log10(step)))) : 3;
  return value => Math.abs(value) >= 1e5 ? tick(value) : value.toFixed(decimals).replace("-", "−");
}

function setting(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return String(value);
  return Number.isInteger(value) && Math.abs(value) < 1e6 ? String(value) : tick(value);
}

function named(index) {
  const sweep = overSweeps ? page.sweeps[trials.sweep[index]].name + " " : "";
  return sweep + "trial " + trials.trial[index];
}

function inWords(index) {
  return trials.params.filter(p => p.values[index] !== null).map(p => p.name + " = " + setting(p.values[index])).join(", ");
}

function stateOf(index) { return trials.states[trials.state[index]]; }

// A small table for a tooltip: a heading and pairs.
function tip(heading, pairs) {
  const box = element("div", { class: "tip" }, element("b", {}, heading));
  for (const [name, value] of pairs) box.append(element("div", {}, element("span", {}, name), element("b", {}, value)));
  return box;
}

function trialTip(index) {
  const pairs = trials.params.map(p => [p.name, setting(p.values[index])]);
  const error = errors[index] ? " ± " + number(errors[index], 4) : "";
  pairs.push([metric, number(scores[index]) + error]);
  return tip(named(index), pairs.filter(pair => pair[1] !== "–"));
}

// From the best score to one that is clearly bad: what lies beyond must not flatten the rest. The middle trial is at a quarter of it
// or farther, and 19 of 20 within two thirds. What lies little farther is shown all the same.
const range = (() => {
  const sorted = scores.filter(s => s !== null).sort((a, b) => page.higher ? b - a : a - b);
  if (!sorted.length) return [0, 1];
  const best = sorted[0], distance = share => Math.abs(sorted[Math.floor((sorted.length - 1) * share)] - best);
  const most = Math.min(4 * distance(0.5) || Infinity, 1.5 * distance(0.95) || Infinity), reach = distance(1) < 1.6 * most ? distance(1) : most;
  return page.higher ? [best - reach, best] : [best, best + reach];
})();
const room = (range[1] - range[0]) * 0.06 || Math.abs(range[0]) * 0.01 || 0.01;
const best = page.higher ? range[1] : range[0];
const scoreTick = ticks(range[0], range[1]);

// A score within the range, at its end if it lies beyond.
function within(score) { return Math.min(range[1], Math.max(range[0], score)); }

// Round values between two ends, at most so many.
function rounds(low, high, most = 6) {
  const rough = (high - low) / most, power = 10 ** Math.floor(Math.log10(rough)), step = [1, 2, 5, 10].map(f => f * power).find(s => s >= rough * 0.999);
  if (!(rough > 0) || !step) return [low];
  const first = Math.ceil(low / step - 1e-9), last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

// Where a parameter's values lie on an axis, and what is written there: texts at whole numbers, what spans powers of ten by its
// logarithm, infinity beyond the others.
function axisOf(param) {
  if (param.kind === "text") {
    const places = new Map(param.distinct.map((value, place) => [String(value), place])), marks = Array.from(places.values());
    return { kind: "text", low: 0, high: Math.max(0, marks.length - 1), pad: 0.5, marks, at: value => value === null ? null : places.get(String(value)), label: place => String(param.distinct[place] ?? "") };
  }
  const isLog = param.kind === "log", scale = value => isLog ? Math.log10(value) : value;
  let low = Infinity, high = -Infinity;
  for (const value of param.values) if (typeof value === "number") { low = Math.min(low, scale(value)); high = Math.max(high, scale(value)); }
  if (low > high) [low, high] = [0, 0];
  const span = high - low, beyond = param.values.includes("inf") ? high + (isLog ? Math.max(1, span * 0.12) : span * 0.12 || 1) : null;
  const finite = param.distinct.filter(value => typeof value === "number");
  const whole = isLog ? rounds(low, high, 7).filter(Number.isInteger) : [];
  const marks = finite.length && finite.length <= 5 ? finite.map(scale) : isLog ? (whole.length > 1 ? whole : rounds(low, high, 4)) : rounds(low, high);
  const own = isLog ? place => tick(Number((10 ** place).toPrecision(3))) : place => tick(place);
  if (beyond !== null) marks.push(beyond);
  return {
    kind: param.kind, low, high: beyond ?? high, pad: (span || Math.abs(low) || 1) * 0.03, marks,
    at: value => typeof value === "number" ? scale(value) : value === "inf" ? beyond : null,
    label: place => beyond !== null && place > high + (beyond - high) / 2 ? "inf" : own(place),
  };
}

// The axis of a chart for it.
function marked(scale) {
  return { type: "value", min: scale.low - scale.pad, max: scale.high + scale.pad, axisLabel: { formatter: scale.label, customValues: scale.marks } };
}

// A number in [0, 1) that is the same for a trial whenever it is asked: where it lies beside the middle of a text's column.
function jitter(index) { return (0.5 + index * 0.6180339887498949) % 1; }
