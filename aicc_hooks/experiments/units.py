"""What is dealt and counted as one: a person, a session, a conversation or a single request."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from aicc_hooks.verdict import Role, Segment

UnitKind = Literal["user", "session", "conversation", "request"]
UNNAMED = "key"  # all requests that name nobody: one unit, which no comparison may rest on
_HASHED = 65_536  # characters of a first message: its two ends and its length


@dataclass(frozen=True, slots=True)
class Unit:
    """`kind`: a UnitKind or UNNAMED. `value`: the id as it was sent, a keyed hash of a conversation's beginning, or ""."""

    kind: str
    value: str = ""

    def __str__(self) -> str:
        """What is hashed for a draw; another form would deal everybody anew."""
        return f"{self.kind}\0{self.value}"


NOBODY = Unit(UNNAMED)


def unit_of(
    kind: UnitKind, salt: str, *, user: str = "", session: str = "", opening: str = "", request: str = ""
) -> Unit:
    """The unit of a request in an experiment that deals by `kind`.

    `opening`: the first user message, of which only a hash leaves here. `request`: the gateway's own id.
    """
    if kind == "conversation" and opening:
        return Unit("conversation", _digest(salt, opening))
    if kind in ("conversation", "request"):
        return Unit("request", request)
    if kind == "user" and user:
        return Unit("user", user)
    return Unit("session", session) if session else NOBODY


def opening(segments: Sequence[Segment]) -> str:
    """The text of the first user message; "" where there is none (embeddings, a picture alone).

    Every turn of a conversation sends it again, so its hash names the conversation without any help of the client.
    Roles and texts only: clients move their cache marks from turn to turn, and write a text as a string or as a part.
    """
    said = [segment for segment in segments if segment.role is Role.USER and segment.turn >= 0]
    first = min((segment.turn for segment in said), default=-1)
    return "\x1f".join(segment.text for segment in said if segment.turn == first)


def _digest(salt: str, text: str) -> str:
    if len(text) > _HASHED:  # hashing megabytes would hold up the event loop
        text = f"{text[: _HASHED // 2]}{text[-_HASHED // 2 :]}{len(text)}"
    key = hashlib.blake2b(salt.encode("utf-8", "surrogatepass")).digest()
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=key, digest_size=16).hexdigest()
