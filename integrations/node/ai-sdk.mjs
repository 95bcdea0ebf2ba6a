// Vercel AI SDK: a conversation of two turns, the second as a stream. AICC_MASTER_KEY must be set.
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, streamText } from "ai";

const openai = createOpenAI({
  baseURL: `${process.env.AICC_URL ?? "http://127.0.0.1:4000"}/v1`,
  apiKey: process.env.AICC_MASTER_KEY,
  headers: { "x-user-id": "me", "x-session-id": crypto.randomUUID() }, // who asks, in which conversation
});
const model = openai("auto"); // over /v1/responses; openai.chat("auto") is the same over /v1/chat/completions

// From the second turn on the SDK sends ids in place of its own texts. The gateway keeps them in memory for a day at most;
// an app that stores conversations says that nothing is stored elsewhere, and then sends them whole.
const providerOptions = { openai: { store: false } };

const messages = [{ role: "user", content: "Say hello to my colleague." }];
const first = await generateText({ model, messages, providerOptions });
console.log(first.text);

messages.push(...first.response.messages, { role: "user", content: "Now in Norwegian." });
for await (const piece of streamText({ model, messages, providerOptions }).textStream) process.stdout.write(piece);
console.log();
