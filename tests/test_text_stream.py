"""Streams of /v1/completions are handed out from their first word on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import litellm
import pytest
from litellm import TextCompletionStreamWrapper
from litellm.types.utils import Delta, ModelResponseStream, StreamingChoices

from aicc_hooks.adapter import text_stream

# pydantic, of a type of LiteLLM's own
pytestmark = pytest.mark.filterwarnings("ignore:.*ReadOnly:UserWarning")


def chunk(**delta: Any) -> ModelResponseStream:
    return ModelResponseStream(choices=[StreamingChoices(delta=Delta(**delta))])


def words(*chunks: ModelResponseStream, error: Exception | None = None) -> TextCompletionStreamWrapper:
    async def stream() -> AsyncIterator[ModelResponseStream]:
        for one in chunks:
            yield one
        if error is not None:
            raise error

    return TextCompletionStreamWrapper(completion_stream=stream(), model="m")


def begun(monkeypatch: pytest.MonkeyPatch, answer: Any) -> Any:
    async def ask(*args: Any, **kwargs: Any) -> Any:
        return answer

    monkeypatch.setattr(litellm, "atext_completion", ask)
    assert text_stream.install() == ""
    assert text_stream.install() == ""  # once
    return litellm.atext_completion(model="m", prompt="x")


def test_a_failure_before_the_first_word_reaches_the_fallbacks(monkeypatch: pytest.MonkeyPatch) -> None:
    opening = chunk(role="assistant", content="")  # what some servers send before their first word
    with pytest.raises(ConnectionError):
        asyncio.run(begun(monkeypatch, words(opening, error=ConnectionError())))


def test_nothing_is_lost_and_a_later_failure_is_the_stream_s(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        chunks = [chunk(role="assistant", content=""), chunk(content="one "), chunk(content="two")]
        answer = await begun(monkeypatch, words(*chunks, error=ConnectionError()))
        assert [(await anext(answer))["choices"][0]["text"] for _ in chunks] == ["", "one ", "two"]
        with pytest.raises(ConnectionError):
            await anext(answer)

    asyncio.run(main())


def test_the_first_word_waits_for_no_second(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        asked = []

        async def stream() -> AsyncIterator[ModelResponseStream]:
            for word in ("one", "two"):
                asked.append(word)
                yield chunk(content=word)

        response = TextCompletionStreamWrapper(completion_stream=stream(), model="m")
        answer = await begun(monkeypatch, response)
        assert asked == ["one"]
        assert (await anext(answer))["choices"][0]["text"] == "one"
        assert asked == ["one"]

    asyncio.run(main())


def test_an_empty_stream_and_a_whole_answer_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        assert [part async for part in await begun(monkeypatch, words())] == []
        assert await begun(monkeypatch, {"choices": []}) == {"choices": []}

    asyncio.run(main())


def test_it_stays_off_when_litellm_has_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(litellm, "atext_completion", None)
    assert "atext_completion" in text_stream.install()
