"""Chat, stream, embed and rerank through the gateway. AICC_MASTER_KEY must be set."""

import os
from uuid import uuid4

from openai import OpenAI

client = OpenAI(
    base_url=os.environ.get("AICC_URL", "http://127.0.0.1:4000") + "/v1",
    api_key=os.environ["AICC_MASTER_KEY"],
    default_headers={"x-user-id": "me", "x-session-id": uuid4().hex},  # who asks, in which conversation
)

answer = client.chat.completions.with_raw_response.create(
    model="auto", messages=[{"role": "user", "content": "Say hello to my colleague."}]
)
print(answer.headers["x-aicc-route"], answer.headers["x-aicc-reason"])
print(answer.parse().choices[0].message.content)

for chunk in client.chat.completions.create(
    model="auto", messages=[{"role": "user", "content": "Count to five."}], stream=True
):
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="")
print()

print(len(client.embeddings.create(model="embed-local", input="a text").data[0].embedding), "dimensions")

ranked = client.post(
    "/rerank",
    cast_to=object,
    body={
        "model": "rerank-local",
        "query": "capital of Nevada",
        "documents": ["Cats sleep.", "Carson City is the capital of Nevada."],
        "top_n": 1,
    },
)
print(ranked["results"])
