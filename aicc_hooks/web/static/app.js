import { banner, get, listen, post } from "./api.js";
import { $, h, pill } from "./dom.js";
import { renderExperiments } from "./experiments.js";
import { redraw, renderOverview } from "./overview.js";
import { addLive, loadList, setUpList, stepList } from "./requests.js";
import { renderState, setCold } from "./system.js";

const EVERY = { "15m": 5, "1h": 5, "6h": 10, "24h": 20, "7d": 60, "30d": 60 };
const range = $("range");
let asked = 0, tried = 0, dirty = false, online = true;

const fail = (error) => banner(`${error.message[0].toUpperCase()}${error.message.slice(1)}${/[.!?]$/.test(error.message) ? "" : "."}`);

async function refresh() {
  asked = Date.now();
  dirty = false;
  try {
    const data = await get(`/aicc/api/overview?range=${range.value}`);
    renderOverview(data);
    setCold(data.totals.cold_starts);
    if (Date.now() - tried > 30_000) { tried = Date.now(); renderExperiments(await get("/aicc/api/experiments")); }
    if (online) banner("");
  } catch (error) { if (online) fail(error); }
}

// Colours: automatic, light, dark; kept in this browser.
const ORDER = ["", "light", "dark"], ICONS = { "": "◐", light: "☀", dark: "☾" };
function theme(name) {
  if (name) document.documentElement.dataset.theme = name; else delete document.documentElement.dataset.theme;
  $("theme").textContent = ICONS[name];
  $("theme").setAttribute("aria-label", `Colours: ${name || "automatic"}`);
  try { localStorage.setItem("aicc-theme", name); } catch { /* private mode: for this visit only */ }
}
let kept = "";
try { kept = localStorage.getItem("aicc-theme") || ""; } catch { /* as above */ }
theme(ORDER.includes(kept) ? kept : "");
$("theme").addEventListener("click", () => theme(ORDER[(ORDER.indexOf(document.documentElement.dataset.theme || "") + 1) % 3]));

$("try-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const place = $("explained"), text = $("prompt").value;
  if (!text.trim()) { place.replaceChildren(h("p", { class: "muted" }, "Write a prompt first.")); return; }
  try {
    const found = await post("/aicc/explain", { model: $("try-model").value || "auto", messages: [{ role: "user", content: text }] });
    place.replaceChildren(...explained(found));
  } catch (error) { place.replaceChildren(h("p", { class: "problem" }, error.message)); }
});

function explained({ sentence, decision, verdict }) {
  const p = verdict.privacy, i = verdict.injection, c = verdict.complexity;
  const badges = h("p", { class: "legend" }, pill(decision.blocked ? "bad" : "good", decision.blocked ? "blocked" : decision.route), pill(decision.local_only ? "warn" : "", decision.local_only ? "this machine only" : "any model"),
    pill(p.types.length ? "warn" : "", p.types.length ? `private: ${p.types.join(", ")}` : "nothing private"), pill(i.flagged ? "bad" : "", `injection ${i.score.toFixed(2)}`), pill("", `${c.tier} (${c.score.toFixed(2)})`));
  const steps = decision.steps.map((text) => ({ title: "", text, tone: "plain" }));
  return [h("p", { class: "lead" }, h("b", {}, sentence)), badges, h("br"), stepList(steps)];
}

function connection(up) {
  if (up === online) return;
  online = up;
  if (up) { banner(""); refresh(); loadList().catch(fail); }
  else banner("The gateway does not answer. The page connects again by itself.");
}

range.addEventListener("change", refresh);
setUpList(fail);
let pending = 0;
new ResizeObserver(() => { cancelAnimationFrame(pending); pending = requestAnimationFrame(redraw); }).observe($("main"));

async function begin() {
  try { renderState(await get("/aicc/api/state")); } catch (error) { fail(error); }
  await Promise.all([refresh(), loadList().catch(fail)]);
  listen({
    requests: (found) => { dirty = true; addLive(found); },
    state: renderState,
    problem: (found) => banner(found.message),
  }, connection);
}
begin();
setInterval(() => {
  if (document.hidden || !online) return;
  const age = (Date.now() - asked) / 1000;
  if (age > 60 || (dirty && age > EVERY[range.value])) refresh();
}, 1000);
