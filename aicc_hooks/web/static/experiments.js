// Reports of experiments: verdict, table, and each variant's value with its interval.
import { $, empty, h, number, pill, s, share, span } from "./dom.js";

const LEFT = 90, RIGHT = 270, WIDTH = 480, STEP = 24; // narrow: scaled into a third of the page, its words stay readable
const head = (unit) => ["Variant", "Requests", unit[0].toUpperCase() + unit.slice(1), "Errors", "p50", "p95", "Tokens", "Cached", "Scored", "Score"];

export function renderExperiments(data) {
  const place = $("trials");
  const told = data.problem ? [h("p", { class: "problem" }, data.problem)] : [];
  const none = data.experiments.length || data.problem ? [] : [h("div", { class: "card" }, empty(data.empty))];
  place.replaceChildren(...told, ...none, ...data.experiments.map(one));
}

function one(found) {
  const rows = found.variants.map((v) => h("tr", {}, h("th", { scope: "row" }, v.name),
    [number(v.requests), number(v.units), share(v.error_rate), span(v.p50_ms), span(v.p95_ms), v.tokens === null ? "–" : v.tokens.toFixed(0), share(v.cache_rate), number(v.scores), v.score === null ? "–" : v.score.toFixed(3)]
      .map((text) => h("td", { class: "num" }, text))));
  const table = h("div", { class: "wide", tabindex: "0", role: "region", "aria-label": `Variants of ${found.name}` }, h("table", {},
    h("thead", {}, h("tr", {}, head(found.unit).map((text, i) => h("th", { scope: "col", class: i ? "num" : null }, text)))), h("tbody", {}, rows)));
  return h("div", { class: "card trial" },
    h("h3", { class: "head" }, found.name, " ", pill(found.state === "runs" ? "good" : "", found.state)),
    h("p", { class: "lead" }, h("b", {}, found.verdict)),
    found.comparisons.map((c) => h("p", { class: "muted" }, `${c.variant}: ${c.verdict}`)),
    table, h("div", { class: "panels" }, found.panels.map(panel)),
    found.warnings.map((text) => h("p", { class: "problem" }, text)));
}

function panel(p) {
  const height = STEP * p.rows.length + 18, x = (v) => LEFT + ((RIGHT - LEFT) * (v - p.low)) / (p.high - p.low);
  const marks = p.rows.flatMap((row, i) => {
    const y = 12 + STEP * i;
    return [
      s("text", { x: 0, y: y + 4 }, row.name.slice(0, 14)),
      ...(row.low === null ? [] : [s("line", { class: "interval", x1: x(row.low), x2: x(row.high), y1: y, y2: y })]),
      ...(row.value === null ? [] : [s("circle", { class: "mean", cx: x(row.value), cy: y, r: 4.5 })]),
      s("text", { x: RIGHT + 12, y: y + 4 }, row.text),
    ];
  });
  const axis = [s("line", { class: "gridline", x1: LEFT, x2: RIGHT, y1: height - 14, y2: height - 14 }),
    s("text", { x: LEFT, y: height - 2 }, p.from), s("text", { x: RIGHT, y: height - 2, "text-anchor": "end" }, p.to)];
  const label = `${p.title}: ${p.rows.map((row) => `${row.name} ${row.text}`).join("; ")}`;
  return h("figure", {}, h("figcaption", {}, p.title), s("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": label }, axis, marks));
}
