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

// The trials that are selected (null: all), and the one that is open.
const state = { selected: null, open: null, listeners: [] };

function select(indices) {
  state.selected = indices && indices.length < count ? new Set(indices) : null;
  for (const listener of state.listeners) listener();
}

function isOn(index) { return state.selected === null || state.selected.has(index); }

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

// A label of an axis: no more digits than it needs.
function tick(value) { return Math.abs(value) >= 1e6 ? value.toExponential() : String(Number(value.toPrecision(4))); }

function setting(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return String(value);
  const text = String(value);
  return text.length <= 7 ? text : String(Number(value.toPrecision(4)));
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

// Quantiles of finite scores: one bad trial must not flatten all others.
function scoreRange() {
  const sorted = scores.filter(s => s !== null).sort((a, b) => page.higher ? b - a : a - b);
  if (!sorted.length) return [0, 1];
  const best = sorted[0], far = sorted[Math.floor((sorted.length - 1) * (sorted.length > 30 ? 0.9 : 1))];
  return best < far ? [best, far] : [far, best];
}

// Where a parameter's value lies on its axis; what has no number lies beyond the others.
function axisOf(param) {
  if (param.kind === "text") return { type: "category", data: param.distinct.map(String), at: value => value === null ? null : String(value) };
  const finite = param.values.filter(v => typeof v === "number");
  const top = Math.max(...finite.slice(0, 60000)), isLog = param.kind === "log";
  const beyond = isLog ? top * 10 : top + Math.abs(top) * 0.1;
  return { type: isLog ? "log" : "value", at: value => typeof value === "number" ? value : value === "inf" ? beyond : null };
}
