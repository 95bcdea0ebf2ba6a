// What every Node client script shares: where the gateway is, and one line a check.
export const URL = process.env.AICC_URL ?? "http://127.0.0.1:4000";
export const KEY = process.env.AICC_MASTER_KEY ?? "";
export const ASK = "What is the weather? Use the tool.";
const steps = [];
export const step = (name, run) => steps.push([name, run]);
export function assert(value, message = "assertion failed") {
  if (!value) throw new Error(message);
}
export async function main() {
  let failed = 0;
  for (const [name, run] of steps) {
    try {
      await run();
      console.log(`ok    ${name}`);
    } catch (error) {
      failed++;
      console.log(`FAIL  ${name}\n${error.stack}`);
    }
  }
  process.exit(failed ? 1 : 0);
}
