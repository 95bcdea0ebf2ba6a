"""langchain-openai: chat in both API modes, tools, structured output, embeddings."""

from __future__ import annotations

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel, SecretStr
from steps import ASK, KEY, URL, main, step

OPTIONS = {"base_url": URL + "/v1", "api_key": SecretStr(KEY), "max_retries": 0}
chat = ChatOpenAI(model="auto", **OPTIONS)
responses = ChatOpenAI(model="auto", use_responses_api=True, **OPTIONS)


@tool
def get_weather(city: str) -> str:
    """Weather of a city."""
    return f"rain in {city}"


@step
def chats_and_streams_with_usage() -> None:
    assert chat.invoke("hello").content
    whole = None
    for chunk in ChatOpenAI(model="auto", stream_usage=True, **OPTIONS).stream("hello"):
        whole = chunk if whole is None else whole + chunk
    assert whole.content
    assert whole.usage_metadata["total_tokens"] > 0


@step
def responses_mode_chats_and_streams() -> None:
    assert responses.invoke("hello").text
    assert "".join(chunk.text for chunk in responses.stream("hello"))


@step
def calls_a_tool_in_both_modes_streamed_and_not() -> None:
    for model in (chat, responses):
        bound = model.bind_tools([get_weather])
        answer = bound.invoke(ASK)
        assert answer.tool_calls[0]["name"] == "get_weather", answer
        result = ToolMessage(
            get_weather.invoke(answer.tool_calls[0]["args"]), tool_call_id=answer.tool_calls[0]["id"]
        )
        assert bound.invoke([HumanMessage(ASK), answer, result]).text
        whole = None
        for chunk in bound.stream(ASK):
            whole = chunk if whole is None else whole + chunk
        assert whole.tool_calls[0]["args"]["city"]


@step
def structured_output() -> None:
    class City(BaseModel):
        name: str
        people: int

    for model in (ChatOpenAI(model="qwen-local", **OPTIONS), responses):
        assert isinstance(model.with_structured_output(City).invoke("a city"), City)


@step
def embeds_texts_and_token_lists() -> None:
    texts = ["Oslo in the rain", "Köln, " * 5000]
    found = []
    for as_ids in (True, False):  # ids are its default
        vectors = OpenAIEmbeddings(
            model="embed-local",
            check_embedding_ctx_length=as_ids,
            base_url=URL + "/v1",
            api_key=SecretStr(KEY),
        )
        found.append(vectors.embed_documents(texts))
        assert len(vectors.embed_query("a")) == 768
    assert len(found[0]) == len(found[1]) == 2
    assert all(abs(a - b) < 1e-5 for a, b in zip(found[0][0], found[1][0], strict=True))


if __name__ == "__main__":
    main()
