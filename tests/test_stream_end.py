"""A stream of Anthropic's API that ends before `stop_reason` is a failure, and one with it is not."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import litellm
import pytest

from aicc_hooks.adapter import stream_end

# pydantic, of types of LiteLLM's own
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")

USAGE = {"input_tokens": 3, "output_tokens": 1}
START: dict[str, Any] = {
    "type": "message_start",
    "message": {"id": "m", "type": "message", "role": "assistant", "model": "claude", "content": [], "stop_reason": None, "usage": USAGE},
}  # fmt: skip
BLOCK = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
END = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}}


def word(text: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}


CUT = [START, BLOCK, word("half "), word("an answer")]
WHOLE = [*CUT, {"type": "content_block_stop", "index": 0}, END, {"type": "message_stop"}]


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            for event in self.server.events:  # type: ignore[attr-defined]
                self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(5)


def ask(server: HTTPServer, events: list[dict[str, Any]]) -> tuple[str, str | None]:
    """The words that came, and the finish reason. Raises what LiteLLM raises."""
    server.events = events  # type: ignore[attr-defined]

    async def main() -> tuple[str, str | None]:
        answer = await litellm.acompletion(
            model="anthropic/claude-3-5-haiku-latest", api_base=f"http://127.0.0.1:{server.server_port}", api_key="k",
            messages=[{"role": "user", "content": "hi"}], stream=True,
        )  # fmt: skip
        words, reason = "", None
        async for piece in answer:
            words += piece.choices[0].delta.content or ""
            reason = piece.choices[0].finish_reason or reason
        return words, reason

    return asyncio.run(main())


def test_a_cut_stream_of_anthropic_s_is_a_failure(server: HTTPServer) -> None:
    assert stream_end.install() == ""
    with pytest.raises(litellm.exceptions.MidStreamFallbackError, match=r"before its end|ended before"):
        ask(server, CUT)


def test_a_whole_stream_of_anthropic_s_ends_as_it_says(server: HTTPServer) -> None:
    assert stream_end.install() == ""
    assert ask(server, WHOLE) == ("half an answer", "stop")
