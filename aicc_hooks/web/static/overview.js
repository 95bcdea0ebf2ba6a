// Tiles, charts and breakdowns of the chosen range.
import { chart, meter } from "./charts.js";
import { $, empty, h, number, share, span } from "./dom.js";

const REASONS = { complexity: 1, explicit: 6, privacy: 2, injection: 5, experiment: 4, capability: 3, fallback: 3 };
const TIERS = { exact: 1, semantic: 2, miss: 6, bypass: 3 };
let last = null;

export function renderOverview(data) {
  performance.mark("aicc:render-begin");
  last = data;
  const t = data.totals, column = Object.fromEntries(data.bucket_fields.map((name, i) => [name, data.buckets.map((b) => b[i])]));
  $("v-rate").textContent = t.per_minute >= 10 ? number(t.per_minute) : t.per_minute.toFixed(1);
  $("n-rate").textContent = `${number(t.requests)} requests, ${number(t.tokens)} tokens`;
  $("v-errors").textContent = share(t.error_rate);
  $("n-errors").textContent = t.requests ? `${number(t.failures)} faults (5xx), ${number(t.errors - t.failures)} refused` : "no requests";
  $("v-time").replaceChildren(span(t.p50_ms), h("small", {}, ` / ${span(t.p95_ms)}`));
  $("n-time").textContent = `first token ${span(t.first_token_p50_ms)}, overhead p95 ${span(t.overhead_p95_ms)}`;
  $("v-cache").textContent = share(t.cache_hit_rate);
  $("n-cache").textContent = data.cache.saved_ms ? `${span(data.cache.saved_ms)} saved by ${number(data.cache.hits)} hits` : `${number(data.cache.hits)} hits`;
  drawCharts(data, column);
  breakdown(data);
  performance.mark("aicc:render-end");
  performance.measure("aicc:render", "aicc:render-begin", "aicc:render-end");
}

export function redraw() { if (last) renderOverview(last); }

function drawCharts(data, column) {
  const served = column.requests.map((n, i) => n - column.errors[i]);
  const peak = Math.max(0, ...column.requests);
  chart($("c-requests"), {
    kind: "bars", starts: column.start, describe: number, whole: true,
    series: [{ name: "served", values: served, css: "" }, { name: "failed", values: column.errors, css: "bad" }],
    label: `Requests over time: ${number(data.totals.requests)} in all, ${number(data.totals.errors)} failed, at most ${number(peak)} in one interval`,
  });
  chart($("c-time"), {
    kind: "lines", starts: column.start, describe: (v) => (v === 0 ? "0" : span(v)),
    series: [
      { name: "p50", values: column.p50_ms, css: "" }, { name: "p95", values: column.p95_ms, css: "two" },
      { name: "first token, p50", values: column.first_token_p50_ms, css: "three" },
    ],
    label: `Time to answer over time: p50 ${span(data.totals.p50_ms)}, p95 ${span(data.totals.p95_ms)}`,
  });
}

function breakdown(data) {
  const reasons = [...new Set(data.routes.flatMap((r) => Object.keys(r.why)))];
  const most = Math.max(0, ...data.routes.map((r) => r.requests));
  const rows = data.routes.map((r) =>
    meter(r.route, reasons.filter((n) => r.why[n]).map((n) => ({ name: n, value: r.why[n], color: REASONS[n] ?? 6 })), most, { text: share(r.requests / data.totals.requests) }));
  const legend = h("div", { class: "legend" }, reasons.map((n) => h("span", {}, h("i", { class: `c${REASONS[n] ?? 6}` }), n)));
  $("routes").replaceChildren(rows.length ? h("div", { class: "rows" }, rows, legend) : empty("No requests in this range."));

  const sizes = ["simple", "medium", "complex"].filter((n) => data.tiers[n]), judged = sizes.reduce((sum, n) => sum + data.tiers[n], 0);
  $("tiers").replaceChildren(judged ? h("div", { class: "rows" }, sizes.map((n, i) => meter(n, [{ name: n, value: data.tiers[n], color: i + 1 }], judged, { thin: true, text: share(data.tiers[n] / judged) }))) : empty("No question was judged in this range."));

  const tiers = Object.entries(data.cache.tiers), all = tiers.reduce((sum, [, n]) => sum + n, 0);
  $("cache").replaceChildren(all ? h("div", { class: "rows" }, tiers.map(([n, c]) => meter(n, [{ name: n, value: c, color: TIERS[n] ?? 6 }], all, { text: `${number(c)}  ·  ${share(c / all)}` }))) : empty("No requests in this range."));
  $("variants").replaceChildren(data.variants.length ? table(["Variant", "Requests", "Errors", "p50"], data.variants.map((v) => [v.key, number(v.requests), share(v.error_rate), span(v.p50_ms)])) : empty("No experiment ran in this range."));

  counts($("privacy"), data.privacy.types, 2, [h("b", {}, number(data.privacy.kept_local)), " requests kept on this machine"], "Nothing private was found.");
  counts($("injection"), data.injection.rules, 5, [h("b", {}, number(data.injection.flagged)), " flagged, ", h("b", {}, number(data.injection.blocked)), " blocked"], "No rule fired.");
  counts($("clients"), data.clients, 1, null, "No requests in this range.");
  for (const [id, names] of [["route", data.routes.map((r) => r.route)], ["client", Object.keys(data.clients)]]) addOptions(document.querySelector(`#filters [name=${id}]`), names);
}

function counts(place, values, color, lead, none) {
  const list = Object.entries(values), most = Math.max(0, ...list.map(([, n]) => n));
  const body = list.length ? h("div", { class: "rows" }, list.slice(0, 8).map(([n, c]) => meter(n, [{ name: n, value: c, color }], most, { thin: true }))) : empty(none);
  place.replaceChildren(...(lead ? [h("p", { class: "lead" }, ...lead)] : []), body);
}

function table(head, rows) {
  return h("table", {}, h("thead", {}, h("tr", {}, head.map((t, i) => h("th", { class: i ? "num" : null }, t)))), h("tbody", {}, rows.map((row) => h("tr", {}, row.map((c, i) => h("td", { class: i ? "num" : null }, c))))));
}

function addOptions(select, names) {
  const known = new Set([...select.options].map((o) => o.value));
  for (const name of names) if (!known.has(name)) select.append(h("option", { value: name }, name));
}
