"""openai-python, sync and async: every call the library has for our endpoints."""

from __future__ import annotations

import asyncio
import json

import openai
from openai import AsyncOpenAI, OpenAI
from steps import ASK, CITY_SCHEMA, KEY, URL, main, step

client = OpenAI(base_url=URL + "/v1", api_key=KEY, max_retries=0)
HELLO = [{"role": "user", "content": "Please say hello to my colleague."}]
TOOL = {
    "type": "function",
    "function": {"name": "get_weather", "description": "Weather of a city", "parameters": CITY_SCHEMA},
}
print("openai", openai.__version__)


@step
def lists_models() -> None:
    assert {"auto", "qwen-local", "embed-local"} <= {m.id for m in client.models.list()}


@step
def chats_and_reads_headers() -> None:
    raw = client.chat.completions.with_raw_response.create(model="auto", messages=HELLO)
    assert raw.headers["x-aicc-route"] == "llama-fast"
    assert raw.parse().choices[0].message.content


@step
def streams_with_usage_and_one_id() -> None:
    chunks = list(
        client.chat.completions.create(
            model="auto", messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
    )
    assert chunks[-1].usage.total_tokens > 0
    assert len({c.id for c in chunks}) == 1
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)


@step
def calls_a_tool_and_takes_its_result() -> None:
    messages = [{"role": "user", "content": ASK}]
    first = client.chat.completions.create(model="auto", messages=messages, tools=[TOOL]).choices[0]
    assert first.finish_reason == "tool_calls"
    call = first.message.tool_calls[0]
    assert json.loads(call.function.arguments)["city"] in ("Oslo", "Köln")
    messages += [first.message, {"role": "tool", "tool_call_id": call.id, "content": "rain"}]
    assert (
        client.chat.completions.create(model="auto", messages=messages, tools=[TOOL])
        .choices[0]
        .message.content
    )


@step
def streams_a_tool_call() -> None:
    with client.chat.completions.stream(
        model="auto", messages=[{"role": "user", "content": ASK}], tools=[TOOL]
    ) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.tool_calls[0].function.name == "get_weather"


@step
def parses_a_json_schema() -> None:
    from pydantic import BaseModel

    class City(BaseModel):
        name: str
        people: int

    answer = client.chat.completions.parse(model="qwen-local", messages=HELLO, response_format=City)
    assert isinstance(answer.choices[0].message.parsed, City)


@step
def embeds_as_the_library_asks_by_default() -> None:
    answer = client.embeddings.create(model="embed-local", input=["one text", "another"])
    assert len(answer.data) == 2
    assert len(answer.data[0].embedding) == 768
    assert isinstance(answer.data[0].embedding[0], float)
    raw = client.embeddings.with_raw_response.create(
        model="embed-local", input="one text", encoding_format="base64"
    )
    assert isinstance(json.loads(raw.text)["data"][0]["embedding"], str)


@step
def responses_whole_and_streamed() -> None:
    whole = client.responses.create(model="auto", input="hello", store=False, reasoning={"effort": "low"})
    assert whole.output_text
    assert whole.usage.output_tokens_details.reasoning_tokens >= 0
    with client.responses.stream(model="auto", input="hello") as stream:
        events = list(stream)
        final = stream.get_final_response()
    assert final.output_text == whole.output_text
    numbers = [e.sequence_number for e in events]
    assert numbers == sorted(set(numbers)), numbers


@step
def responses_call_tools_in_a_stream() -> None:
    tool = {
        "type": "function",
        "name": "get_weather",
        "description": "Weather",
        "parameters": CITY_SCHEMA,
        "strict": True,
    }
    with client.responses.stream(model="auto", input=ASK, tools=[tool]) as stream:
        for _ in stream:
            pass
        final = stream.get_final_response()
    call = next(item for item in final.output if item.type == "function_call")
    assert json.loads(call.arguments)["city"]


@step
def responses_stream_of_a_thinking_model() -> None:
    with client.responses.stream(
        model="deepseek-local", input="hello", reasoning={"effort": "low"}
    ) as stream:
        kinds = [e.type for e in stream]
        final = stream.get_final_response()
    assert "response.reasoning_summary_part.added" in kinds
    assert final.output[0].summary[0].text
    assert final.output_text


@step
def every_answer_and_event_has_the_fields_of_its_class() -> None:
    """The library itself checks nothing: what is missing is None where the types say that it cannot be."""

    def check(model) -> None:
        type(model).model_validate(model.to_dict(mode="json"))

    tool = {"type": "function", "name": "get_weather", "parameters": CITY_SCHEMA, "strict": True}
    thinking = {"model": "deepseek-local", "reasoning": {"effort": "low"}}
    for body in ({"input": "hello"}, {"input": ASK, "tools": [tool]}, {"input": "hello", **thinking}):
        options = {"model": "auto", **body}
        check(client.responses.create(**options))
        for event in client.responses.create(**options, stream=True):
            check(event)
    for tools in ({}, {"tools": [TOOL]}):
        options = {"model": "auto", "messages": [{"role": "user", "content": ASK}], **tools}
        check(client.chat.completions.create(**options))
        for chunk in client.chat.completions.create(**options, stream=True):
            check(chunk)


@step
def a_second_turn_by_its_items() -> None:
    first = client.responses.create(model="auto", input="hello")
    follow = [*first.output, {"role": "user", "content": "and now?"}]
    assert client.responses.create(model="auto", input=follow).output_text
    try:
        client.responses.create(model="auto", input="and now?", previous_response_id=first.id)
    except openai.BadRequestError as error:
        named = error.param
    else:
        raise AssertionError("answered without the first turn")
    assert named == "previous_response_id", named


@step
def errors_are_the_librarys_own() -> None:
    cases = (
        (openai.NotFoundError, lambda: client.chat.completions.create(model="no-such", messages=HELLO)),
        (openai.BadRequestError, lambda: client.chat.completions.create(model="auto", messages=[])),
        (openai.AuthenticationError, lambda: client.with_options(api_key="sk-wrong").models.list()),
    )
    for kind, call in cases:
        try:
            call()
        except kind as error:
            if error.type:  # where our stable code stands
                continue
        raise AssertionError(f"no {kind.__name__}")


@step
def the_async_client_works_too() -> None:
    async def run() -> None:
        async with AsyncOpenAI(base_url=URL + "/v1", api_key=KEY, max_retries=0) as aclient:
            answers = await asyncio.gather(
                *(aclient.chat.completions.create(model="auto", messages=HELLO) for _ in range(8))
            )
        assert all(a.choices[0].message.content for a in answers)

    asyncio.run(run())


if __name__ == "__main__":
    main()
