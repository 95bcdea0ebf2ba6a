"""A conversation that held a secret stays on this machine: in every worker, at once, after a restart, with any session id."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.harness import GatewayProcess
from tests.ollama_stub import OllamaStub
from tests.privacy_sweep.run import Upstreams
from tests.standins.cloud import CloudStandIn

pytestmark = pytest.mark.live

CARD = "4539 7281 6405 9378"
PRIVATE = {"role": "user", "content": f"Please check my card {CARD}, it was refused."}
CLEAN = {"role": "user", "content": "Thank you. What is the capital of France?"}


def sent_to(cloud: CloudStandIn) -> bytes:
    """Bodies that reached the cloud."""
    return b"\n".join(request.body for request in cloud.requests if request.body)


def ask(
    http: httpx.Client, session: str, *messages: dict[str, Any], where: str = "header", **fields: Any
) -> dict[str, str]:
    """One turn for the cloud model, over a connection of its own; returns the response headers."""
    body: dict[str, Any] = {"model": "cloud-chat", "messages": list(messages), **fields}
    headers = {"connection": "close", "cache-control": "no-cache"}
    if session and where == "header":
        headers["x-session-id"] = session
    elif session:
        body["metadata"] = {"session_id": session}
    response = http.post("/v1/chat/completions", json=body, headers=headers)
    assert response.status_code == 200, response.text
    return dict(response.headers)


@pytest.fixture
def pair(ollama: OllamaStub, cloud: CloudStandIn) -> Iterator[tuple[GatewayProcess, GatewayProcess]]:
    """Two processes over one home, as two workers are; here a test chooses which of them answers."""
    upstreams = Upstreams(ollama, cloud)
    first = GatewayProcess(upstreams.config(), policy=upstreams.policy(), ollama_url=ollama.url).launch()
    second = GatewayProcess(
        upstreams.config(), home=first.home, key=first.key, ollama_url=ollama.url
    ).launch()
    try:
        first.wait_ready()
        second.wait_ready()
        yield first, second
    finally:
        second.close()
        first.close()


def test_a_conversation_stays_local_in_every_worker_and_after_a_restart(
    pair: tuple[GatewayProcess, GatewayProcess], cloud: CloudStandIn
) -> None:
    first, second = pair
    one, other = first.httpx(), second.httpx()
    sessions = [secrets.token_hex(8) for _ in range(6)]
    for number, session in enumerate(sessions):
        where = "header" if number % 2 else "metadata"
        for worker in (one, other):  # both know the session as clean before it meets its secret
            assert ask(worker, session, CLEAN, where=where)["x-aicc-route"] == "cloud-chat"
        cloud.reset()
        ask(one, session, PRIVATE, where=where)
        for worker in (other, one):  # at once: the record of the turn before is not written yet
            headers = ask(worker, session, CLEAN, where=where)
            assert headers["x-aicc-reason"] == "privacy:conversation"
            assert headers["x-aicc-cache"] == "bypass"
        assert sent_to(cloud) == b""

    second.restart()
    other = second.httpx()
    assert ask(other, sessions[0], CLEAN)["x-aicc-reason"] == "privacy:conversation"
    (first.home / "private_sessions").unlink()
    assert ask(other, sessions[1], CLEAN)["x-aicc-reason"] == "privacy:conversation"
    # The history sent along is judged too, whatever the session says.
    for session in ("", "another"):
        headers = ask(one, session, PRIVATE, {"role": "assistant", "content": "It was refused."}, CLEAN)
        assert headers["x-aicc-privacy"] == "credit_card"
    assert sent_to(cloud) == b""
    # A session id is a name, not a text: it is written as a keyed hash only.
    named = f"my-ssn-536-22-1{secrets.randbelow(900) + 100}"
    ask(one, named, CLEAN)
    for gateway in pair:
        gateway.stop()
    everything = b"\n".join(content for gateway in pair for content in gateway.written().values())
    for value in (named, sessions[0], CARD):
        assert value.encode() not in everything
    assert CLEAN["content"].encode() in everything, "the search looks where texts are written"
