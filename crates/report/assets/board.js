"use strict";
// The leaderboard: sorted, filtered, a hundred rows at a time.
const board = { order: [], sort: null, down: false, shown: 100 };

function columns() {
  const all = [{ name: "#", of: i => i + 1, number: true, text: i => String(i + 1) }];
  if (overSweeps) all.push({ name: "sweep", of: i => page.sweeps[trials.sweep[i]].name });
  all.push({ name: "trial", of: i => trials.trial[i], number: true, text: i => String(trials.trial[i]) });
  for (const p of trials.params) all.push({ name: p.name, path: p.path, of: i => p.values[i] === "inf" ? Infinity : p.values[i], number: p.kind !== "text", text: i => setting(p.values[i]) });
  const error = i => errors[i] ? " ± " + number(errors[i], 4) : "";
  all.push({ name: metric, of: i => scores[i], number: true, text: i => number(scores[i]) + error(i), down: page.higher });
  all.push({ name: "P(best)", of: i => page.p_best[i] ?? null, number: true, text: i => !(i in page.p_best) ? "–" : page.p_best[i] < 0.005 ? "<0.01" : page.p_best[i].toFixed(2), down: true });
  for (const [name, held] of Object.entries(trials.scores)) {
    if (name !== metric) all.push({ name, of: i => held.mean[i], number: true, text: i => number(held.mean[i], 4), down: held.higher });
  }
  if (trials.rung.some(rung => rung !== null)) all.push({ name: "rung", of: i => trials.rung[i], number: true, text: i => String(trials.rung[i] ?? "–"), down: true });
  all.push({ name: "state", of: i => stateOf(i) });
  return all;
}

// `C < 1, solver = sgd`: conditions that must all hold; a word alone is looked for in all cells.
function readFilter(text, all) {
  const tests = [];
  for (const part of text.split(/,|\band\b/).map(part => part.trim()).filter(Boolean)) {
    const found = part.match(/^([^<>=!]+?)\s*(<=|>=|==|!=|=|<|>)\s*(.+)$/);
    if (!found) { const word = part.toLowerCase(); tests.push(i => all.some(c => String(c.text ? c.text(i) : c.of(i)).toLowerCase().includes(word))); continue; }
    const name = found[1].replace(/^param\./, "");
    const column = all.find(c => c.name === name || c.path === name) || all.find(c => c.path && c.path.split(".").pop() === name);
    if (!column) return { problem: "no column " + found[1] };
    const raw = found[3].replace(/^["']|["']$/g, ""), wanted = raw === "inf" ? Infinity : column.number ? Number(raw) : raw;
    if (column.number && Number.isNaN(wanted)) return { problem: raw + " is no number" };
    const compare = { "<": (a, b) => a < b, "<=": (a, b) => a <= b, ">": (a, b) => a > b, ">=": (a, b) => a >= b, "=": (a, b) => a === b, "==": (a, b) => a === b, "!=": (a, b) => a !== b }[found[2]];
    tests.push(i => { const own = column.of(i); return own !== null && own !== undefined && compare(own, wanted); });
  }
  return { holds: i => tests.every(test => test(i)) };
}

function order(all) {
  const kept = [];
  for (let i = 0; i < count; i++) if (isOn(i)) kept.push(i);
  const column = all.find(c => c.name === board.sort);
  if (column) {
    const sign = board.down ? -1 : 1, keys = kept.map(i => [i, column.of(i)]);
    const none = value => value === null || value === undefined;
    keys.sort((a, b) => none(a[1]) - none(b[1]) || (a[1] < b[1] ? -sign : a[1] > b[1] ? sign : a[0] - b[0]));
    return keys.map(key => key[0]);
  }
  return kept;
}

function showBoard() {
  const all = columns(), box = document.getElementById("board");
  const focus = document.activeElement && box.contains(document.activeElement) ? document.activeElement.dataset.sort : null;
  board.order = order(all);
  const head = element("tr", {}), body = element("tbody", {});
  for (const c of all) {
    const sorted = board.sort === c.name ? (board.down ? "descending" : "ascending") : "none";
    const button = element("button", { type: "button", "data-sort": c.name, onclick: () => {
      if (board.sort === c.name) board.down = !board.down; else { board.sort = c.name; board.down = Boolean(c.down); }
      board.shown = 100; showBoard();
    } }, c.name);
    head.append(element("th", { scope: "col", class: c.number ? "n" : "", "aria-sort": sorted }, button));
  }
  if (!board.order.length) body.append(element("tr", {}, element("td", { colspan: String(all.length), class: "none" }, "No trial meets all of this.")));
  for (const i of board.order.slice(0, board.shown)) {
    const row = element("tr", { tabindex: "0", "data-index": i, class: (i === page.chosen ? "chosen " : "") + (i === state.open ? "open" : "") });
    row.setAttribute("aria-label", "Open " + named(i));
    for (const c of all) { const text = c.text ? c.text(i) : String(c.of(i) ?? "–"); row.append(element("td", { class: c.number ? "n" : "", title: text.length > 30 ? text : "" }, text)); }
    body.append(row);
  }
  box.replaceChildren(element("table", {}, element("thead", {}, head), body));
  if (focus) for (const button of box.querySelectorAll("th button")) if (button.dataset.sort === focus) button.focus();
  document.getElementById("more").hidden = board.order.length <= board.shown;
  document.getElementById("clear").hidden = state.selected === null;
  document.getElementById("filter-note").textContent = board.order.length === count ? count.toLocaleString("en") + (count === 1 ? " trial" : " trials") : board.order.length.toLocaleString("en") + " of " + count.toLocaleString("en") + " trials";
}

function startBoard() {
  const box = document.getElementById("board"), input = document.getElementById("filter"), all = columns();
  const openRow = event => {
    const row = event.target.closest("tr[data-index]");
    if (!row || (event.type === "keydown" && event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault(); openTrial(Number(row.dataset.index), row);
  };
  box.addEventListener("click", openRow);
  box.addEventListener("keydown", openRow);
  let wait = 0;
  input.addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(() => {
    const read = input.value.trim() ? readFilter(input.value, all) : { holds: null };
    if (read.problem) { document.getElementById("filter-note").textContent = read.problem; return; }
    sift(read.holds);
  }, 150); });
  document.getElementById("more").addEventListener("click", () => { board.shown += 400; showBoard(); });
  document.getElementById("clear").addEventListener("click", () => select(null));
  state.listeners.push(() => { board.shown = 100; showBoard(); });
  showBoard();
}
