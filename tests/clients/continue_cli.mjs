// Continue's command line, headless, with the shipped recipe: chat, and its own tools.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KEY, URL, assert, main, step } from "./steps.mjs";

const home = mkdtempSync(join(tmpdir(), "aicc-continue-"));
mkdirSync(join(home, ".continue"));
writeFileSync(join(home, ".continue", ".env"), `AICC_MASTER_KEY=${KEY}\n`);
const recipe = readFileSync(join(process.env.AICC_INTEGRATIONS, "continue", "config.yaml"), "utf8");
const config = join(home, "config.yaml");
writeFileSync(config, recipe.replaceAll("http://127.0.0.1:4000", URL));
const cn = (prompt) =>
  execFileSync("node", [join(process.cwd(), "node_modules/@continuedev/cli/dist/cn.js"), "-p", "--config", config, prompt], {
    env: { ...process.env, HOME: home, CONTINUE_TELEMETRY_ENABLED: "0" }, cwd: home, encoding: "utf8", timeout: 120_000, stdio: ["ignore", "pipe", "pipe"],
  });

step("chat with the key from .continue/.env", () => void assert(cn("[[reply: it works]]").includes("it works")));
step("agent calls a tool and reads its result", () => void assert(cn("Please call the List tool").includes("The tool answered")));
await main();
