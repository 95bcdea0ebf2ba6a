// n8n, headless: imports the credentials and workflows of integrations/n8n and executes each.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KEY, URL, assert, main, step } from "./steps.mjs";

const files = join(process.env.AICC_INTEGRATIONS, "n8n");
const home = mkdtempSync(join(tmpdir(), "aicc-n8n-"));
const env = {
  ...process.env, N8N_USER_FOLDER: home, N8N_DIAGNOSTICS_ENABLED: "false", N8N_VERSION_NOTIFICATIONS_ENABLED: "false",
  N8N_TEMPLATES_ENABLED: "false", N8N_RUNNERS_ENABLED: "false", N8N_LOG_LEVEL: "info", N8N_PERSONALIZATION_ENABLED: "false",
};
const n8n = (...args) =>
  execFileSync("node", ["node_modules/n8n/bin/n8n", ...args], { env, encoding: "utf8", timeout: 120_000, stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1 << 26 });
const ready = (name) => {
  const text = readFileSync(join(files, name), "utf8").replaceAll("http://127.0.0.1:4000", URL).replaceAll("AICC_MASTER_KEY", KEY);
  mkdirSync(join(home, "in"), { recursive: true });
  const path = join(home, "in", name);
  writeFileSync(path, text);
  return path;
};
const run = (name) => {
  const path = ready(name);
  n8n("import:workflow", `--input=${path}`);
  const output = n8n("execute", `--id=${JSON.parse(readFileSync(path)).id}`, "--rawOutput");
  // n8n may log before the result, and behind it.
  return JSON.parse(output.slice(output.indexOf("{\n"), output.lastIndexOf("\n}") + 2)).data.resultData;
};
const last = (result, node) => {
  assert(!result.error, JSON.stringify(result.error));
  return result.runData[node].at(-1).data.main[0];
};

step("imports the credentials", () => void n8n("import:credentials", `--input=${ready("credentials.json")}`));
step("chat model node in both API modes", () => {
  const result = run("chat.json");
  for (const node of ["Chat", "Responses"]) assert(last(result, node)[0].json.text, node);
});
step("agent with a tool", () => {
  const result = run("agent.json");
  assert(last(result, "Agent")[0].json.output);
  assert(result.runData.Calculator, "the tool was called");
});
step("HTTP node sees the headers, and rerank", () => {
  const result = run("http.json");
  assert(last(result, "Ask")[0].json.headers["x-aicc-route"] === "llama-fast");
  assert(last(result, "Rerank")[0].json.body.results[0].index === 1);
});
step("embeddings into a store", () => {
  const result = run("embeddings.json");
  assert(last(result, "Store").length, "nothing stored");
});
await main();
