"""Dify's OpenAI-compatible model classes, as its plugin daemon runs them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from dify_plugin.entities.model.message import PromptMessageTool, UserPromptMessage
from dify_plugin.interfaces.model.openai_compatible.llm import OAICompatLargeLanguageModel
from dify_plugin.interfaces.model.openai_compatible.rerank import OAICompatRerankModel
from dify_plugin.interfaces.model.openai_compatible.text_embedding import OAICompatEmbeddingModel
from steps import ASK, CITY_SCHEMA, KEY, URL, main, step

CREDENTIALS: dict[str, Any] = {
    "endpoint_url": URL + "/v1", "api_key": KEY, "mode": "chat", "context_size": "8192", "max_tokens_to_sample": "1024",
    "function_calling_type": "tool_call", "stream_function_calling": "supported", "input_price": Decimal(0), "stream_mode_delimiter": "\\n\\n",
}  # fmt: skip
llm = OAICompatLargeLanguageModel(model_schemas=[])
embedder = OAICompatEmbeddingModel(model_schemas=[])
reranker = OAICompatRerankModel(model_schemas=[])
embedder._get_num_tokens_by_gpt2 = len  # type: ignore[method-assign]  # the real one asks Dify's daemon
llm._get_num_tokens_by_gpt2 = len  # type: ignore[method-assign]
TOOL = PromptMessageTool(name="get_weather", description="Weather of a city", parameters=CITY_SCHEMA)


# Dify's own OpenAI-compatible plugin adds this to every streamed call; the base class does not.
USAGE = {"stream_options": {"include_usage": True}}


def invoke(text: str, *, stream: bool, tools: list[PromptMessageTool] | None = None) -> Any:
    parameters = {"temperature": 0.5, **(USAGE if stream else {})}
    return llm._invoke(
        "auto", CREDENTIALS, [UserPromptMessage(content=text)], parameters, tools, None, stream, "user-1"
    )


@step
def credentials_ping_passes() -> None:
    llm.validate_credentials("auto", CREDENTIALS)
    embedder.validate_credentials("embed-local", CREDENTIALS)
    reranker.validate_credentials("rerank-local", CREDENTIALS)


@step
def a_wrong_key_fails_the_ping() -> None:
    try:
        llm.validate_credentials("auto", {**CREDENTIALS, "api_key": "sk-wrong"})
    except Exception as error:
        if "401" in str(error):
            return
        raise
    raise AssertionError("accepted")


@step
def chats_and_streams_with_usage() -> None:
    whole = invoke("hello", stream=False)
    assert whole.message.content
    assert whole.usage.total_tokens > 0
    chunks = list(invoke("hello", stream=True))
    assert "".join(str(c.delta.message.content) for c in chunks) == whole.message.content
    assert chunks[-1].delta.usage.completion_tokens == whole.usage.completion_tokens
    assert chunks[-1].delta.finish_reason == "stop"


@step
def calls_tools_streamed_and_not() -> None:
    whole = invoke(ASK, stream=False, tools=[TOOL])
    assert whole.message.tool_calls[0].function.name == "get_weather"
    found = [call for c in invoke(ASK, stream=True, tools=[TOOL]) for call in c.delta.message.tool_calls]
    assert found[0].function.name == "get_weather"


@step
def embeds() -> None:
    answer = embedder._invoke("embed-local", CREDENTIALS, ["one", "two"], "user-1")
    assert [len(v) for v in answer.embeddings] == [768, 768]


@step
def reranks() -> None:
    docs = ["A recipe for bread.", "Carson City is the capital of Nevada.", "Cats sleep a lot."]
    answer = reranker._invoke("rerank-local", CREDENTIALS, "capital of Nevada", docs, top_n=2)
    assert len(answer.docs) == 2
    assert answer.docs[0].text == docs[1]


if __name__ == "__main__":
    main()
