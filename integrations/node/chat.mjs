// Chat and stream through the gateway. AICC_MASTER_KEY must be set.
import OpenAI from "openai";

const client = new OpenAI({
  baseURL: `${process.env.AICC_URL ?? "http://127.0.0.1:4000"}/v1`,
  apiKey: process.env.AICC_MASTER_KEY,
  defaultHeaders: { "x-user-id": "me", "x-session-id": crypto.randomUUID() }, // who asks, in which conversation
});
const messages = [{ role: "user", content: "Say hello to my colleague." }];

const { data, response } = await client.chat.completions.create({ model: "auto", messages }).withResponse();
console.log(response.headers.get("x-aicc-route"), response.headers.get("x-aicc-reason"));
console.log(data.choices[0].message.content);

for await (const chunk of await client.chat.completions.create({ model: "auto", messages, stream: true })) {
  process.stdout.write(chunk.choices[0]?.delta?.content ?? "");
}
console.log();
