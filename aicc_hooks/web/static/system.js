// What is true now: health, alerts, breakers, models, delivery.
import { post } from "./api.js";
import { $, bytes, clock, empty, h, number, pill, share, span } from "./dom.js";

const TONE = { up: "good", ok: "good", closed: "good", down: "bad", open: "bad", degraded: "warn", half_open: "warn", unknown: "warn", off: "" };
const NAMES = { half_open: "half-open" };

export function renderState(state) {
  const gateway = state.gateway, firing = state.alerts.firing.filter((a) => !a.silenced);
  const worst = firing.some((a) => a.severity === "critical") && gateway.status === "ok" ? "degraded" : gateway.status || "unknown";
  const overall = $("overall");
  overall.className = `pill ${TONE[worst] ?? "warn"}`;
  overall.textContent = worst === "ok" ? "all well" : worst;
  $("firing").replaceChildren(...firing.map(alertBox));
  health(gateway);
  alerts(state.alerts);
  models(gateway);
  breakers(gateway.breakers || {});
  delivery(state.delivery);
  const processes = `${gateway.workers} process${gateway.workers === 1 ? "" : "es"}`;
  $("footer").textContent = [`aicc ${gateway.version}`, gateway.mode === "demo" ? "demo: stand-in models" : null, processes, `policy ${gateway.policy_version ?? "none"}`, `up ${span((state.time - gateway.started) * 1000)}`].filter(Boolean).join("  ·  ");
}

function health(gateway) {
  const items = Object.entries(gateway.health || {}).map(([name, seen]) => h("li", {},
    h("span", {}, name), h("span", {}, seen.latency_ms !== null && seen.latency_ms !== undefined ? h("span", { class: "muted" }, `${span(seen.latency_ms)}  `) : null, pill(seen.warning ? "warn" : TONE[seen.status] ?? "warn", seen.status)),
    seen.detail ? h("span", { class: "sub" }, seen.detail) : null));
  const problems = Object.entries(gateway.problems || {}).map(([name, text]) => h("li", {}, h("span", {}, name), pill("bad", "problem"), h("span", { class: "sub" }, text)));
  $("health").replaceChildren(items.length + problems.length ? h("ul", { class: "state-list" }, problems, items) : empty("Nothing was looked at yet."));
}

function title(alert) { return alert.subject ? `${alert.rule}: ${alert.subject}` : alert.rule; }

function alertBox(alert) {
  const key = alert.subject ? `${alert.rule}:${alert.subject}` : alert.rule;
  const button = h("button", { type: "button", onclick: () => post("/aicc/api/silence", { what: key, minutes: 120 }).then(() => button.closest(".alert").remove(), (error) => { button.textContent = error.message; }) }, "Silence 2 h");
  return h("div", { class: `alert ${alert.severity}` }, pill(alert.severity === "critical" ? "bad" : "warn", alert.severity),
    h("div", {}, h("p", {}, h("b", {}, title(alert)), ` ${alert.what}. ${alert.detail}, since ${clock(alert.since, true)}.`), h("p", { class: "help" }, alert.help)), button);
}

function alerts(found) {
  const silenced = found.silences.map((s) => h("li", {}, h("span", {}, `${s.pattern} is silent`), h("button", { type: "button", class: "link", onclick: (event) => post("/aicc/api/silence", { what: s.pattern, minutes: 0 }).then(() => event.target.closest("li").remove()) }, "end"), h("span", { class: "sub" }, `until ${clock(s.until, true)} ${s.reason}`)));
  const events = found.events.slice(0, 6).map((e) => h("li", {}, h("span", {}, title(e)), pill(e.kind === "recovered" ? "good" : e.kind === "test" ? "" : "bad", e.kind), h("span", { class: "sub" }, `${clock(e.at, true)}  ${e.detail}${e.silenced ? "  (silenced)" : ""}`)));
  const calm = found.firing.length ? null : h("p", { class: "lead" }, found.alerts.length ? `Nothing is wrong: ${found.alerts.length} checks pass.` : "No rule was evaluated yet.");
  $("alerts").replaceChildren(...[calm, silenced.length + events.length ? h("ul", { class: "state-list" }, silenced, events) : null].filter(Boolean));
}

function models(gateway) {
  const facts = gateway.health?.ollama?.facts || {}, items = [];
  for (const [address, one] of Object.entries(facts)) {
    if (!one || typeof one !== "object") continue;
    const loaded = new Set(one.loaded || []);
    for (const name of one.models || []) items.push(h("li", {}, h("span", {}, name), pill(loaded.has(name) ? "good" : "", loaded.has(name) ? "loaded" : "on disk"), Object.keys(facts).length > 1 ? h("span", { class: "sub" }, address) : null));
    for (const lost of one.missing || []) items.push(h("li", {}, h("span", {}, lost.name), pill("warn", "missing"), h("span", { class: "sub" }, lost.command || "")));
  }
  const cold = h("p", { class: "lead" }, h("b", { id: "cold" }, "–"), " cold starts in this range");
  $("models").replaceChildren(cold, items.length ? h("ul", { class: "state-list" }, items) : empty(gateway.mode === "demo" ? "The demo's models live inside the gateway." : "No Ollama address told its models yet."));
  showCold();
}

let coldStarts = null;
export function setCold(count) { coldStarts = count; showCold(); }
function showCold() { const place = $("cold"); if (place && coldStarts !== null) place.textContent = number(coldStarts); }

function breakers(found) {
  const items = Object.entries(found).flatMap(([scope, circuits]) => Object.entries(circuits).map(([key, c]) => [scope, key, c]));
  items.sort((a, b) => (a[2].state === "closed") - (b[2].state === "closed"));
  $("breakers").replaceChildren(items.length ? h("ul", { class: "state-list" }, items.slice(0, 12).map(([scope, key, c]) => h("li", {}, h("span", { class: "mono" }, key), pill(TONE[c.state] ?? "warn", NAMES[c.state] ?? c.state), c.state !== "closed" ? h("span", { class: "sub" }, `${scope}: ${c.reason || ""} ${c.retry_in_s ? `tried again in ${c.retry_in_s} s` : ""}`) : null))) : empty("No upstream was used yet."));
}

function delivery(d) {
  const rows = [["Requests on record", number(d.records)], ["Size on disk", bytes(d.file_bytes)], ["Waiting for Langfuse", number(d.waiting)], ["Delivered", number(d.delivered)], ["Refused for good", number(d.refused)], ["Lost", number(d.dropped + d.failed + d.expired_undelivered)], ["Requests with a trace", share(d.coverage)]];
  $("delivery").replaceChildren(h("dl", { class: "facts" }, rows.flatMap(([k, v]) => [h("dt", {}, k), h("dd", {}, v)])));
}
