"use strict";
// Charts of what happened in each stretch of the last minutes: differences between the totals that the server sampled.

const charts = (() => {
  const BARS = 60;
  const HEIGHT = 150;
  const difference = (column) => (from, to) => Math.max(0, to[column] - from[column]);
  const ratio = (part, whole) => (from, to) => {
    const all = whole.reduce((sum, column) => sum + difference(column)(from, to), 0);
    return all > 0 ? difference(part)(from, to) / all : null;
  };
  const INPUT = ["input", "cache_read", "cache_creation"];

  // Each: title, what is drawn, how values are written, whether bars stand on each other, how the span is summed up.
  const CHARTS = [
    { title: "Cost", write: dollars, bars: true, sum: dollars, series: [["Cost", difference("cost_usd")]] },
    {
      title: "Input tokens", write: short, bars: true, sum: short,
      series: [
        ["From cache", difference("cache_read")],
        ["Written to cache", difference("cache_creation")],
        ["Neither", difference("input")],
      ],
    },
    { title: "Output tokens", write: short, bars: true, sum: short, series: [["Output", difference("output")]] },
    {
      title: "Requests", write: short, bars: true, sum: short, colors: ["--c1", "--c4"],
      series: [
        ["Good", (from, to) => Math.max(0, difference("requests")(from, to) - difference("errors")(from, to))],
        ["Failed", difference("errors")],
      ],
    },
    { title: "Input from cache", write: percent, range: [0, 1], series: [["Share", ratio("cache_read", INPUT)]] },
    {
      title: "Time to answer, mean", write: millis,
      series: [
        ["Whole answer", ratio("latency_ms", ["latency_count"])],
        ["First token", ratio("first_token_ms", ["first_token_count"])],
      ],
    },
  ];

  function short(value) {
    const unit = [[1e9, "G"], [1e6, "M"], [1e3, "k"]].find(([from]) => value >= from);
    return unit ? `${+(value / unit[0]).toPrecision(3)} ${unit[1]}` : `${+value.toFixed(1)}`;
  }
  function dollars(value) {
    if (value === 0) return "$0";
    return `$${value >= 1 ? value.toFixed(2) : value >= 0.01 ? value.toFixed(3) : value.toPrecision(2)}`;
  }
  function percent(value) { return `${+(value * 100).toFixed(1)} %`; }
  function millis(value) { return value < 1000 ? `${value.toFixed(0)} ms` : `${+(value / 1000).toPrecision(3)} s`; }

  // The totals as they stood at `second`: those of the last sample that is not later.
  function standing(history, second) {
    let [low, high] = [0, history.at.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (history.at[middle] <= second * 1000) low = middle; else high = middle;
    }
    return Object.fromEntries(Object.entries(history).map(([column, values]) => [column, values[low]]));
  }

  // The ends of the stretches, and the totals at their bounds. The last one is not over yet.
  function stretches(history, span) {
    const length = span / BARS;
    const last = Math.ceil(history.at.at(-1) / 1000 / length);
    const bounds = Array.from({ length: BARS + 1 }, (_, i) => (last - BARS + i) * length);
    return { length, ends: bounds.slice(1), totals: bounds.map((second) => standing(history, second)) };
  }

  function values(chart, totals) {
    return chart.series.map(([, value]) => totals.slice(1).map((to, i) => value(totals[i], to)));
  }

  // Bars that stand on each other: each as high as itself and those below.
  function stacked(rows) {
    return rows.map((row, r) => row.map((_, i) => rows.slice(r).reduce((sum, below) => sum + below[i], 0)));
  }

  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function options(chart, width) {
    const axis = { stroke: color("--soft"), grid: { stroke: color("--line"), width: 1 }, ticks: { show: false } };
    const colors = chart.colors ?? ["--c1", "--c2", "--c3", "--c4"];
    const series = chart.series.map(([label], i) => ({
      label,
      stroke: color(colors[i]),
      fill: chart.bars ? color(colors[i]) : undefined,
      width: chart.bars ? 0 : 2,
      spanGaps: !chart.bars,
      points: { show: !chart.bars, size: 5, fill: color(colors[i]) },
      paths: chart.bars ? uPlot.paths.bars({ size: [0.8, 24], align: -1 }) : undefined,
      value: (plot, _, seriesIndex, index) => {
        if (index === null) return "";
        const value = plot.shown[seriesIndex - 1][index];
        return value === null ? "–" : chart.write(value);
      },
    }));
    return {
      width, height: HEIGHT, series: [{ value: (_, second) => (second === null ? "" : clock(second)), label: "Until" }, ...series],
      axes: [
        { ...axis, size: 26, space: 60, values: (_, ticks) => ticks.map((tick) => clock(tick).replace(/:00$/, "")) },
        { ...axis, size: 58, space: 34, values: (_, ticks) => ticks.map(chart.write) },
      ],
      scales: { y: { range: (_, low, high) => chart.range ?? [0, high > 0 ? high * 1.1 : 1] } },
      cursor: { drag: { x: false, y: false }, y: false },
    };
  }

  function clock(second) {
    const time = new Date(second * 1000);
    return [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
  }

  function element(name, properties = {}, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  }

  // A chart's place on the page: its title with the sum of the span, the drawing, and the same as a table.
  function frame(chart) {
    const sum = element("span");
    const plot = element("div", { role: "img" });
    const table = element("table");
    const details = element("details", {}, element("summary", { textContent: "As a table" }), element("div", {}, table));
    const caption = element("figcaption", {}, chart.title, sum);
    const figure = element("figure", {}, caption, plot, details);
    document.getElementById("plots").append(figure);
    details.addEventListener("toggle", () => draw());
    return { chart, sum, plot, table, details, uplot: null };
  }

  function drawOne(place, { length, ends, totals }) {
    const { chart } = place;
    const rows = values(chart, totals);
    place.uplot ??= new uPlot(options(chart, place.plot.clientWidth || 300), [[], ...chart.series.map(() => [])], place.plot);
    place.uplot.shown = rows;
    place.uplot.setData([ends, ...(chart.bars ? stacked(rows) : rows)]);
    const whole = chart.series.map(([label, value]) => [label, value(totals[0], totals.at(-1))]);
    const said = whole.map(([label, value]) => `${label} ${value === null ? "–" : chart.write(value)}`).join(", ");
    const sum = chart.sum && chart.sum(whole.reduce((all, [, value]) => all + value, 0));
    place.sum.textContent = sum ?? whole.map(([, value]) => (value === null ? "–" : chart.write(value))).join(" / ");
    place.plot.setAttribute("aria-label", `${chart.title}, in all: ${said}. Bars of ${length} seconds.`);
    if (place.details.open) fill(place, ends, rows);
  }

  function fill({ chart, table }, ends, rows) {
    const cell = (name, text) => element(name, { textContent: text, className: "n" });
    const head = element("tr", {}, cell("th", "Until"), ...chart.series.map(([label]) => cell("th", label)));
    const body = ends.map((end, i) =>
      element("tr", {}, cell("th", clock(end)), ...rows.map((row) => cell("td", row[i] === null ? "–" : chart.write(row[i])))));
    table.replaceChildren(element("thead", {}, head), element("tbody", {}, ...body.reverse()));
  }

  let places = null;
  let latest = null;

  function draw() {
    if (!latest) return;
    const span = Number(document.querySelector("input[name=span]:checked").value);
    const cut = stretches(latest, span);
    for (const place of places) drawOne(place, cut);
  }

  function redraw() {
    for (const place of places ?? []) {
      place.uplot?.destroy();
      place.uplot = null;
    }
    draw();
  }

  function resize() {
    for (const { uplot, plot } of places) uplot?.setSize({ width: plot.clientWidth, height: HEIGHT });
  }

  // The shortest span that holds all there is, until somebody chooses another.
  function choose(history) {
    const inputs = [...document.querySelectorAll("input[name=span]")];
    const covered = (history.at.at(-1) - history.at[0]) / 1000;
    (inputs.find((input) => covered <= Number(input.value)) ?? inputs.at(-1)).checked = true;
  }

  function setUp() {
    choose(latest);
    places = CHARTS.map(frame);
    for (const input of document.querySelectorAll("input[name=span]")) input.addEventListener("change", draw);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
    new ResizeObserver(resize).observe(document.getElementById("plots"));
  }

  // Draws what the server sampled. Until something has been recorded there is nothing to draw.
  function show(history) {
    const section = document.getElementById("charts");
    section.hidden = !(history.requests.at(-1) > 0);
    if (section.hidden) return;
    latest = history;
    if (!places) setUp();
    draw();
  }

  return { show };
})();
