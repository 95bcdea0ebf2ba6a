// Vercel AI SDK: the OpenAI provider (/v1/responses and chat) and openai-compatible.
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { embed, embedMany, generateText, jsonSchema, Output, stepCountIs, streamText, tool } from "ai";
import { ASK, KEY, URL, assert, main, step } from "./steps.mjs";

const openai = createOpenAI({ baseURL: `${URL}/v1`, apiKey: KEY });
const compatible = createOpenAICompatible({ name: "aicc", baseURL: `${URL}/v1`, apiKey: KEY, includeUsage: true, supportsStructuredOutputs: true });
const models = { responses: openai("auto"), chat: openai.chat("auto"), compatible: compatible("auto"), "responses gpt-4o": openai("gpt-4o") };
const object = jsonSchema({ type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false });
const tools = { get_weather: tool({ description: "Weather of a city", inputSchema: object, execute: async ({ city }) => `rain in ${city}` }) };

for (const [name, model] of Object.entries(models)) {
  step(`${name}: text`, async () => {
    const answer = await generateText({ model, prompt: "hello", maxRetries: 0 });
    assert(answer.text && answer.usage.totalTokens > 0, JSON.stringify(answer.usage));
  });
  step(`${name}: stream with usage`, async () => {
    const result = streamText({ model, prompt: "hello", maxRetries: 0, onError: () => {} });
    let text = "";
    for await (const part of result.fullStream) {
      if (part.type === "error") throw part.error;
      if (part.type === "text-delta") text += part.text;
    }
    assert(text && (await result.usage).outputTokens > 0, JSON.stringify(await result.usage));
  });
  step(`${name}: tool, then the answer`, async () => {
    const answer = await generateText({ model, prompt: ASK, tools, stopWhen: stepCountIs(3), maxRetries: 0 });
    assert(answer.steps.length === 2 && answer.text, `${answer.steps.length} steps`);
  });
  step(`${name}: tool in a stream`, async () => {
    const result = streamText({ model, prompt: ASK, tools, stopWhen: stepCountIs(3), maxRetries: 0, onError: () => {} });
    const kinds = [];
    for await (const part of result.fullStream) {
      if (part.type === "error") throw part.error;
      kinds.push(part.type);
    }
    assert(kinds.includes("tool-result") && (await result.text), kinds.join(" "));
  });
  step(`${name}: JSON schema`, async () => {
    const answer = await generateText({ model, prompt: "a city", output: Output.object({ schema: object }), maxRetries: 0 });
    assert(typeof answer.output.city === "string");
  });
}
// From the second turn on the OpenAI provider sends its own texts and thoughts as {type: "item_reference", id}.
const thinks = { openai: { reasoningEffort: "low", reasoningSummary: "auto", forceReasoning: true } };
const turns = { responses: [models.responses], "responses, nothing stored": [models.responses, { openai: { store: false } }], chat: [models.chat],
  "responses of a thinking model": [openai("deepseek-local"), thinks] };
for (const [name, [model, providerOptions]] of Object.entries(turns)) {
  for (const ask of [generateText, streamText]) {
    step(`${name}: second turn knows the first (${ask.name})`, async () => {
      const messages = [{ role: "user", content: "[[words: 400]]" }];
      const first = await ask({ model, messages, providerOptions, maxRetries: 0, onError: () => {} });
      await (first.consumeStream?.() ?? first);
      messages.push(...(await first.response).messages, { role: "user", content: "and now?" });
      const second = await ask({ model, messages, providerOptions, maxRetries: 0, onError: () => {} });
      assert((await second.text) && (await second.usage).inputTokens > 400, `${(await second.usage).inputTokens} tokens read`);
    });
  }
}
step("a turn that is not in memory is refused with the way out", async () => {
  const part = { type: "text", text: "an answer", providerOptions: { openai: { itemId: "msg_of_another_day" } } };
  const messages = [{ role: "user", content: "one" }, { role: "assistant", content: [part] }, { role: "user", content: "two" }];
  await generateText({ model: models.responses, messages, maxRetries: 0 }).then(
    () => assert(false, "accepted"),
    (error) => assert(error.statusCode === 400 && /store: false/.test(error.message), error),
  );
  const answer = await generateText({ model: models.responses, messages, maxRetries: 0, providerOptions: { openai: { store: false } } });
  assert(answer.text);
});
step("thinking model over responses", async () => {
  const result = streamText({ model: openai("deepseek-local"), prompt: "hello", maxRetries: 0, onError: () => {},
    providerOptions: { openai: { reasoningEffort: "low", reasoningSummary: "auto", forceReasoning: true } } });
  const kinds = new Set();
  for await (const part of result.fullStream) {
    if (part.type === "error") throw part.error;
    kinds.add(part.type);
  }
  assert(kinds.has("reasoning-delta") && (await result.text), [...kinds].join(" "));
});
step("embeds", async () => {
  for (const model of [openai.embedding("embed-local"), compatible.embeddingModel("embed-local")]) {
    assert((await embed({ model, value: "one", maxRetries: 0 })).embedding.length === 768);
    assert((await embedMany({ model, values: ["one", "two"], maxRetries: 0 })).embeddings.length === 2);
  }
});
step("errors carry status and message", async () => {
  await generateText({ model: openai("no-such"), prompt: "hello", maxRetries: 0 }).then(
    () => assert(false, "accepted"),
    (error) => assert(error.statusCode === 404 && /no-such/.test(error.message), error),
  );
});
await main();
