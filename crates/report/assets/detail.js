"use strict";
// One trial, beside the page: its runs, its curve, its coefficients.
const panel = { charts: [], from: null };

function closeTrial() {
  const box = document.getElementById("detail");
  if (box.hidden) return;
  for (const held of panel.charts.splice(0)) removeChart(held);
  box.hidden = true; box.replaceChildren();
  state.open = null;
  for (const row of document.querySelectorAll("tr.open")) row.classList.remove("open");
  for (const listener of state.listeners.slice(1)) listener();
  if (panel.from && document.contains(panel.from)) panel.from.focus();
}

function table(name, headers, rows) {
  const head = element("tr", {}, ...headers.map(([name, isNumber]) => element("th", { scope: "col", class: isNumber ? "n" : "" }, name)));
  const body = rows.map(row => element("tr", {}, ...row.map((cell, i) => element("td", { class: headers[i][1] ? "n" : "" }, cell))));
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": name }, element("table", {}, element("thead", {}, head), element("tbody", {}, ...body)));
}

function openTrial(index, from) {
  closeTrial();
  const box = document.getElementById("detail"), detail = details[index];
  state.open = index; panel.from = from;
  for (const row of document.querySelectorAll("tr[data-index='" + index + "']")) row.classList.add("open");
  const name = named(index), list = element("dl", {});
  const fact = (key, value) => list.append(element("dt", {}, key), element("dd", {}, value));
  fact("state", stateOf(index) + (trials.failed[index] ? ", " + trials.failed[index] + " of " + trials.runs[index] + " runs failed" : ""));
  for (const p of trials.params) if (p.values[index] !== null) fact(p.path, setting(p.values[index]));
  if (index in page.p_best) fact("P(best)", page.p_best[index].toFixed(2));
  const close = element("button", { type: "button", class: "close", onclick: closeTrial }, "Close");
  box.append(close, element("h2", { id: "detail-title" }, name[0].toUpperCase() + name.slice(1) + (index === page.chosen ? ", the choice" : "")), list);
  const scored = Object.entries(trials.scores).filter(([, held]) => held.mean[index] !== null).sort((a, b) => (b[0] === metric) - (a[0] === metric));
  const error = held => held.se && held.se[index] ? " ± " + number(held.se[index], 3) : "", hasTrain = page.on === "val" && scored.some(([, held]) => held.train[index] !== null);
  if (scored.length) box.append(table("Scores",
    [["", false], [page.on === "val" ? "validation" : "training", true]].concat(hasTrain ? [["training", true]] : []),
    scored.map(([key, held]) => [key, number(held.mean[index]) + error(held)].concat(hasTrain ? [number(held.train[index])] : []))));
  box.hidden = false;
  const dir = page.sweeps[trials.sweep[index]].dir;
  const more = "gradsweep show " + dir + " " + trials.trial[index];
  const add = (heading, option, height) => {
    const place = element("div", { class: "chart", role: "img", "aria-label": heading });
    box.append(element("h3", {}, heading), place);
    if (height) place.style.height = height + "px";
    panel.charts.push(chart(place, option));
  };
  if (!detail) {
    const runs = runsOf(index), several = n => runs.some(run => run[n] > 0);
    if (runs.length) {
      add("By fold", () => foldsOption(index), 150);
      const kept = [["fold", 1], ["repeat", 2], ["restart", 3]].filter(([, n]) => n === 1 || several(n));
      box.append(element("h3", {}, "Runs"), table("Runs", [...kept.map(([head]) => [head, true]), [metric, true]], runs.map(run => [...kept.map(([, n]) => String(run[n])), number(run[page.on === "train" ? 9 : 8])])));
    }
    box.append(element("p", { class: "caption" }, "The page has room for the curves and coefficients of the " + Object.keys(details).length.toLocaleString("en") + " best trials. This one's: "), element("code", {}, more));
    for (const listener of state.listeners.slice(1)) listener();
    close.focus(); return;
  }
  if (detail.curve) add("Learning curve", () => curveOption([index]));
  if (detail.weights.length) add("Coefficients per standard deviation", () => weightsOption(detail.weights.slice(0, 15)), 60 + 20 * Math.min(15, detail.weights.length));
  if (detail.runs.some(run => run[8] !== null)) add("By fold", () => foldsOption(index), 150);
  const score = page.on === "train" ? 9 : 8;
  box.append(element("h3", {}, "Runs"), table("Runs",
    [["run", false], ["fold", true], ["repeat", true], ["restart", true], ["state", false], ["epochs", true], [metric, true], ["seconds", true]],
    detail.runs.map(run => [run[0], String(run[1]), String(run[2]), String(run[3]), run[4] + (run[5] ? " (" + run[5] + ")" : ""), run[7] === null ? "–" : String(run[7]), number(run[score]), run[11] === null ? "–" : number(run[11], 3)])));
  box.append(element("p", { class: "caption" }, "More: "), element("code", {}, more));
  for (const listener of state.listeners.slice(1)) listener();
  close.focus();
}

function startDetail() {
  document.addEventListener("keydown", event => {
    if (event.key !== "Escape") return;
    if (state.open !== null) closeTrial(); else if (state.selected) select(null);
  });
}
