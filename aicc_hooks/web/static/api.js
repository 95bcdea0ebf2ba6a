// Talking to the gateway: JSON, events, and what to do when it restarts or the session ends.
import { $ } from "./dom.js";

let leaving = false;
function login() {
  if (!leaving) location.assign("/aicc/login");
  leaving = true;
}

export function banner(text) {
  const box = $("banner");
  box.textContent = text || "";
  box.hidden = !text;
}

export async function get(path, options = {}) {
  const answer = await fetch(path, { headers: { accept: "application/json" }, ...options });
  if (answer.status === 401) { login(); throw new Error("the session has ended"); }
  let body = null;
  try { body = await answer.json(); } catch { /* not JSON: the status says enough */ }
  if (!answer.ok) throw new Error(body?.error?.message || `the gateway answered ${answer.status}`);
  return body;
}

export const post = (path, value) =>
  get(path, { method: "POST", headers: { "content-type": "application/json", accept: "application/json" }, body: JSON.stringify(value) });

// EventSource gives up after an error status, so this connects again by itself, ever more slowly.
export function listen(handlers, onState) {
  let wait = 1000, source = null, timer = 0;
  const connect = () => {
    clearTimeout(timer);
    source = new EventSource("/aicc/events");
    source.onopen = () => { wait = 1000; onState(true); };
    source.onerror = () => {
      onState(false);
      if (source.readyState === EventSource.CLOSED) {
        get("/aicc/api/state").catch(() => {}); // tells an ended session from a gateway that is away
        timer = setTimeout(connect, wait);
        wait = Math.min(wait * 2, 15000);
      }
    };
    for (const [name, handle] of Object.entries(handlers)) {
      source.addEventListener(name, (event) => handle(JSON.parse(event.data)));
    }
  };
  const wake = () => { if (!document.hidden && (!source || source.readyState === EventSource.CLOSED)) connect(); };
  document.addEventListener("visibilitychange", wake);
  addEventListener("pagehide", () => source?.close());
  connect();
}
