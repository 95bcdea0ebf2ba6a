// openai for Node: chat, tools, schema, embeddings, responses, errors.
import OpenAI from "openai";
import { ASK, KEY, URL, assert, main, step } from "./steps.mjs";

const client = new OpenAI({ baseURL: `${URL}/v1`, apiKey: KEY, maxRetries: 0 });
const messages = [{ role: "user", content: "Please say hello to my colleague." }];
const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const tools = [{ type: "function", function: { name: "get_weather", parameters } }];

step("lists models", async () => {
  const names = (await client.models.list()).data.map((m) => m.id);
  assert(names.includes("auto") && names.includes("embed-local"), names);
});
step("chats and shows headers", async () => {
  const { data, response } = await client.chat.completions.create({ model: "auto", messages }).withResponse();
  assert(data.choices[0].message.content);
  assert(response.headers.get("x-aicc-route") === "llama-fast");
});
step("streams with usage", async () => {
  let text = "", usage;
  const stream = await client.chat.completions.create({ model: "auto", messages, stream: true, stream_options: { include_usage: true } });
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta?.content ?? "";
    usage = chunk.usage ?? usage;
  }
  assert(text && usage.total_tokens > 0);
});
step("runs a tool and streams the rest", async () => {
  let called = 0;
  const run = client.chat.completions.runTools({
    model: "auto", stream: true, messages: [{ role: "user", content: ASK }],
    tools: [{ type: "function", function: { name: "get_weather", parameters, parse: JSON.parse, function: () => { called++; return "rain"; } } }],
  });
  assert(await run.finalContent());
  assert(called === 1, `called ${called}`);
});
step("calls a tool whole", async () => {
  const answer = await client.chat.completions.create({ model: "auto", messages: [{ role: "user", content: ASK }], tools });
  assert(JSON.parse(answer.choices[0].message.tool_calls[0].function.arguments).city);
});
step("answers in a JSON schema", async () => {
  const schema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"], additionalProperties: false };
  const answer = await client.chat.completions.create({
    model: "qwen-local", messages, response_format: { type: "json_schema", json_schema: { name: "s", schema, strict: true } },
  });
  assert(Number.isInteger(JSON.parse(answer.choices[0].message.content).n));
});
step("embeds as the library asks by default", async () => {
  const answer = await client.embeddings.create({ model: "embed-local", input: ["one", "two"] });
  assert(answer.data.length === 2 && answer.data[0].embedding.length === 768, answer.data[0].embedding.length);
  assert(answer.data[0].embedding.some((x) => x !== 0));
});
step("responses, whole and streamed", async () => {
  const whole = await client.responses.create({ model: "auto", input: "hello" });
  const stream = client.responses.stream({ model: "auto", input: "hello" });
  for await (const event of stream) assert(Number.isInteger(event.sequence_number), event.type);
  assert((await stream.finalResponse()).output_text === whole.output_text && whole.output_text);
});
step("errors are the library's own", async () => {
  await client.chat.completions.create({ model: "no-such", messages }).then(
    () => assert(false, "accepted"),
    (error) => assert(error instanceof OpenAI.NotFoundError && error.type === "model_not_found", error),
  );
});
await main();
