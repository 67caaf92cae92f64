"use strict";
// Colors follow the page's style; charts are drawn anew when the theme changes.
const charts = [];
const viridis = ["#440154", "#482878", "#3e4a89", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6dcd59", "#b4de2c", "#fde725"];
const okabeIto = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c8c8c", "#a6761d"];

function sweepColor(sweep) { return okabeIto[sweep % okabeIto.length]; }

function color(name) { return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim(); }

// Levels of scores, which lie the closer the nearer they are to the best: their distances from it go by squares. Good ones are bright.
const LEVELS = viridis.length;
function level(score) { return Math.min(LEVELS - 1, Math.floor(Math.sqrt(Math.abs(within(score) - best) / (range[1] - range[0] || 1)) * LEVELS)); }
function levelEnd(level) { return best + (page.higher ? -1 : 1) * (range[1] - range[0]) * (level / LEVELS) ** 2; }
// Its dark end is lighter where the paper is dark.
const viridisOnDark = ["#6d4a86", "#65539b", "#5862a5", "#467aa8"].concat(viridis.slice(4));
function isDark() { return color("paper") !== "#ffffff" && color("paper") !== "#fff"; }
function tone(level) { return (isDark() ? viridisOnDark : viridis)[LEVELS - 1 - level]; }

function written(level) { return ticks(levelEnd(level), levelEnd(level) + 2.5 * (levelEnd(level + 1) - levelEnd(level)))(levelEnd(level)); }

function legendText(level) { return (level < LEVELS - 1 ? "" : page.higher ? "≤ " : "≥ ") + written(level); }

// The legend of these levels, which colors a series by the value of a dimension.
function levelLegend(dimension, seriesIndex) {
  const pieces = Array.from({ length: LEVELS }, (_, l) => ({ value: l, color: tone(l), label: legendText(l) }));
  return { type: "piecewise", dimension, seriesIndex, pieces, orient: "vertical", right: 0, top: "middle", align: "left", itemWidth: 14, itemHeight: 14, itemGap: 4, textGap: 8, itemSymbol: "rect", hoverLink: false, selectedMode: false, textStyle: { color: color("quiet"), fontSize: 11 } };
}

function axis(extra) {
  const label = Object.assign({ color: color("quiet"), fontSize: 11.5, hideOverlap: true }, extra.type === "category" ? {} : { formatter: tick }, extra.axisLabel);
  return Object.assign({
    nameTextStyle: { color: color("quiet"), fontSize: 12 }, axisLine: { show: false, onZero: false }, axisTick: { show: false },
    splitLine: { lineStyle: { color: color("rule") } }, minorSplitLine: { show: false }, scale: true,
  }, extra, { axisLabel: label });
}

function xAxis(name, extra) {
  return axis(Object.assign({ name, nameLocation: "middle", nameGap: 26, splitLine: { show: false }, axisLine: { show: true, onZero: false, lineStyle: { color: color("rule") } } }, extra));
}

function yAxis(name, extra) {
  const style = { color: color("quiet"), fontSize: 12, align: "left", padding: [0, 0, 0, -44] };
  return axis(Object.assign({ name, nameTextStyle: style, nameGap: 12, nameMoveOverlap: false }, extra));
}

// The axis of scores, as far as the range goes.
function scoreAxis(extra) {
  const marks = rounds(range[0] - room, range[1] + room, 5);
  return yAxis(metric, Object.assign({ type: "value", min: range[0] - room, max: range[1] + room, axisLabel: { formatter: scoreTick, customValues: marks }, axisTick: { show: false, customValues: marks } }, extra));
}

function tooltip(formatter, extra) {
  return Object.assign({
    confine: true, backgroundColor: color("paper"), borderColor: color("rule"), borderWidth: 1, padding: [8, 12],
    textStyle: { color: color("ink"), fontSize: 13 }, formatter, transitionDuration: 0,
  }, extra);
}

const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;

function isPaper() { return document.body.classList.contains("paper"); }

// Draws a chart in a box, when it comes near the screen and whenever the theme changes. `wire` gets the chart once.
function chart(box, option, wire) {
  if (!box) return null;
  const held = { box, option, wire, drawn: null };
  held.draw = () => {
    if (held.drawn) held.drawn.dispose();
    held.drawn = echarts.init(box, null, { renderer: "canvas", devicePixelRatio: isPaper() ? 2 : undefined });
    const full = Object.assign({ animation: false, textStyle: { fontFamily: "system-ui, sans-serif" }, grid: { left: 62, right: 18, top: 30, bottom: 44 } }, option());
    held.drawn.setOption(full);
    if (wire) wire(held.drawn);
  };
  held.update = () => { if (held.drawn) held.drawn.setOption(option()); };
  charts.push(held);
  const watcher = new IntersectionObserver(entries => {
    if (entries.some(entry => entry.isIntersecting) && !held.drawn) { watcher.disconnect(); held.draw(); }
  }, { rootMargin: "400px" });
  watcher.observe(box);
  return held;
}

function removeChart(held) {
  if (!held) return;
  if (held.drawn) held.drawn.dispose();
  charts.splice(charts.indexOf(held), 1);
}

function redraw() { for (const held of charts) if (held.drawn) held.draw(); }

// On paper everything is light, as wide as a sheet, drawn and open; afterwards it is as it was.
function startPaper() {
  const root = document.documentElement;
  let kept = null;
  window.addEventListener("beforeprint", () => {
    if (kept) return;
    kept = { theme: root.dataset.theme, opened: Array.from(document.querySelectorAll("details:not([open], .aside)")) };
    root.dataset.theme = "light";
    document.body.classList.add("paper");
    for (const part of kept.opened) part.open = true;
    for (const held of charts) held.draw();
    // A table that is wider than the sheet becomes smaller.
    for (const box of document.querySelectorAll("main .scroll")) if (box.scrollWidth > box.clientWidth) box.style.zoom = String(0.99 * box.clientWidth / box.scrollWidth);
  });
  window.addEventListener("afterprint", () => {
    if (!kept) return;
    root.dataset.theme = kept.theme;
    document.body.classList.remove("paper");
    for (const part of kept.opened) part.open = false;
    for (const box of document.querySelectorAll("main .scroll")) box.style.zoom = "";
    kept = null;
    for (const held of charts) held.draw();
  });
}

function startTheme() {
  const root = document.documentElement, dark = window.matchMedia("(prefers-color-scheme: dark)");
  let kept = null;
  try { kept = localStorage.getItem("gradsweep-theme"); } catch (error) { kept = null; }
  if (kept === "light" || kept === "dark") root.dataset.theme = kept;
  document.getElementById("theme").addEventListener("click", () => {
    const isDark = root.dataset.theme === "dark" || (root.dataset.theme === "auto" && dark.matches);
    root.dataset.theme = isDark ? "light" : "dark";
    try { localStorage.setItem("gradsweep-theme", root.dataset.theme); } catch (error) { /* a page without storage forgets */ }
    redraw();
  });
  dark.addEventListener("change", redraw);
  let wait = 0;
  window.addEventListener("resize", () => { clearTimeout(wait); wait = setTimeout(() => { for (const held of charts) if (held.drawn) held.drawn.resize(); }, 120); });
}
