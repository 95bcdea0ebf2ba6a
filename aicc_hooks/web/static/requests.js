// The list of requests, live and filtered, and the detail of one.
import { get } from "./api.js";
import { meter } from "./charts.js";
import { $, clock, empty, h, number, pill, span } from "./dom.js";

const SHOWN = 25, KEPT = 400;
let oldest = null, paused = false, missed = 0;

const form = () => $("filters");
const chosen = () => Object.fromEntries([...new FormData(form())].filter(([, v]) => v));

export async function loadList(more = false) {
  const query = new URLSearchParams({ ...chosen(), limit: SHOWN });
  if (more && oldest) query.set("before", oldest);
  const { requests } = await get(`/aicc/api/requests?${query}`);
  const body = $("list").tBodies[0];
  if (!more) body.replaceChildren();
  body.append(...requests.map((r) => row(r)));
  oldest = requests.length ? requests[requests.length - 1].seq : more ? oldest : null;
  $("older").hidden = requests.length < SHOWN;
  $("list-empty").hidden = body.rows.length > 0;
}

export function addLive(requests) {
  const wanted = requests.filter(passes);
  if (paused) { missed += wanted.length; showPause(); return; }
  const body = $("list").tBodies[0];
  for (const r of wanted) { const tr = row(r); tr.className = "fresh"; body.prepend(tr); }
  while (body.rows.length > KEPT) body.deleteRow(-1);
  if (wanted.length) $("list-empty").hidden = true;
}

function passes(r) {
  const f = chosen(), failed = r.status >= 400 || r.error !== "";
  return (!f.route || r.route === f.route) && (!f.cache || r.cache === f.cache) && (!f.client || r.client === f.client)
    && (!f.reason || r.reason === f.reason || r.reason.startsWith(`${f.reason}:`)) && (!f.privacy || r.privacy.length > 0)
    && (!f.errors || failed === (f.errors === "1"));
}

function row(r) {
  const tone = r.status >= 500 || !r.status ? "bad" : r.status >= 400 ? "warn" : "";
  const today = new Date().toDateString() === new Date(r.end * 1000).toDateString();
  const open = h("button", { type: "button", class: "link mono", onclick: () => show(r.id), "data-id": r.id }, h("span", { class: "sr" }, "Explain request "), r.id.slice(0, 8));
  return h("tr", {}, h("td", { class: "muted" }, clock(r.end, !today, true)), h("td", {}, h("span", { class: `code ${tone}`, title: r.error || null }, String(r.status || "–"))), h("td", {}, r.route || "–"),
    h("td", {}, r.reason || r.error || "–"), h("td", {}, ["exact", "semantic"].includes(r.cache) ? pill("good", r.cache) : h("span", { class: "muted" }, r.cache || "–")),
    h("td", { class: "num" }, span(r.total_ms)), h("td", { class: "num" }, number(r.prompt_tokens + r.completion_tokens)), h("td", {}, r.client || "–"), h("td", {}, open));
}

async function show(id) {
  const dialog = $("detail"), body = $("detail-body");
  $("detail-title").textContent = "Request";
  body.replaceChildren(empty("Loading …"));
  if (!dialog.open) dialog.showModal();
  try { detail(await get(`/aicc/api/requests/${encodeURIComponent(id)}`)); }
  catch (error) { body.replaceChildren(h("p", { class: "problem" }, error.message)); }
}

function detail({ record: r, steps, timing, feedback }) {
  const total = Math.max(...timing.map((t) => t.ms), 0.001);
  const facts = [["Time", `${clock(r.start, true, true)}`], ["Status", `${r.status}${r.error ? `, ${r.error}` : ""}`], ["Deployment", r.deployment || "–"], ["Session", r.session || "–"], ["User", r.user || "–"], ["Variant", r.variant || "–"]];
  const texts = [...texts_of(r.input), ...(r.output ? [["answer", r.output]] : [])];
  $("detail-title").replaceChildren("Request ", h("span", { class: "mono" }, r.id));
  $("detail-body").replaceChildren(
    stepList(steps),
    h("section", {}, h("h3", { class: "head" }, "Where the time went"), h("div", { class: "rows" }, timing.map((t, i) => meter(t.name, [{ name: t.name, value: t.ms, color: (i % 6) + 1 }], total, { thin: true, text: span(t.ms) })))),
    h("dl", { class: "facts" }, facts.flatMap(([k, v]) => [h("dt", {}, k), h("dd", {}, v)])),
    h("section", {}, h("h3", { class: "head" }, "What was written down"), r.dropped ? h("p", { class: "muted" }, "Some text could not be redacted and was left out.") : null, r.truncated ? h("p", { class: "muted" }, "Long texts are cut.") : null,
      texts.length ? texts.map(([role, value]) => h("div", {}, h("span", { class: "role" }, role), h("pre", { class: "text", tabindex: "0" }, plain(value)))) : empty("No text.")),
    ...(feedback ? [h("p", { class: "muted" }, `Feedback ${feedback.score} ${feedback.comment}`)] : []),
  );
}

function texts_of(input) {
  if (!input || typeof input !== "object") return input ? [["request", input]] : [];
  const out = [];
  for (const [name, value] of Object.entries(input)) {
    if (name === "messages" && Array.isArray(value)) for (const m of value) out.push([m?.role || "message", m?.content ?? m]);
    else out.push([name, value]);
  }
  return out;
}

function plain(value) {
  if (typeof value === "string") return value;
  if (Array.isArray(value) && value.every((p) => p && typeof p.text === "string")) return value.map((p) => p.text).join("\n");
  if (value && typeof value.content === "string" && !value.tool_calls) return value.content;
  return JSON.stringify(value, null, 2);
}

export const stepList = (steps) => h("ol", { class: "steps" }, steps.map((one) => h("li", { class: one.tone }, h("b", {}, one.title), " ", one.text)));

function showPause() {
  const button = $("pause");
  button.setAttribute("aria-pressed", String(paused));
  button.textContent = paused ? `Paused${missed ? ` (${missed} new)` : ""}` : "Pause";
}

export function setUpList(fail) {
  form().addEventListener("change", () => loadList().catch(fail));
  form().addEventListener("submit", (event) => event.preventDefault());
  $("older").addEventListener("click", () => loadList(true).catch(fail));
  $("close").addEventListener("click", () => $("detail").close());
  $("detail").addEventListener("click", (event) => { if (event.target === $("detail")) $("detail").close(); });
  $("pause").addEventListener("click", () => {
    paused = !paused;
    if (!paused && missed) loadList().catch(fail);
    missed = 0;
    showPause();
  });
}
