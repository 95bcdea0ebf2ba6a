"""The failures a stand-in can be told to have."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import orjson

if TYPE_CHECKING:
    from tests.standins.wire import Request

WHOLE_REQUEST: Final = {
    "status": "answer with `status` and `text` (JSON as it is, else wrapped in the upstream's error shape)",
    "echo": "500 whose error text repeats the request body, as careless providers do",
    "oom": "500 with Ollama's out-of-memory text",
    "freeze": "accept the request, send nothing until healed",
    "slow": "wait `seconds`, then answer normally",
    "reset": "RST before any answer byte",
    "garbage": "200 whose body is not JSON (also in streams)",
}
MID_STREAM: Final = {
    "half_close": "stream `after` chunks, then close without an end",
    "end_mid": "stream `after` chunks, then end the body as if it were complete",
    "reset_mid": "stream `after` chunks, then RST",
    "freeze_mid": "stream `after` chunks, then stop sending until healed",
    "garbage_mid": "stream `after` chunks, then one line that is not JSON, then go on",
    "error_mid": "stream `after` chunks, then an error line of the upstream's own kind",
    "drip": "wait `seconds` before every chunk",
}
OOM_TEXT: Final = "model requires more system memory (9.3 GiB) than is available (4.1 GiB)"


@dataclass(eq=False)
class Fault:
    """One injected failure.

    `kind` is a key of WHOLE_REQUEST or MID_STREAM; `model` and `path` (prefix) narrow it; `times` limits it,
    `rate` makes it hit a share of the requests; `after` counts stream chunks; `seconds` delays.
    Mid-stream and counted failures without a `path` leave probes (/api/tags …) alone.
    """

    kind: str
    model: str | None = None
    path: str | None = None
    times: int | None = None
    rate: float = 1.0
    after: int = 2
    seconds: float = 0.0
    status: int = 500
    text: str = "stand-in failure"
    headers: dict[str, str] = field(default_factory=dict)
    hits: int = 0

    def __post_init__(self) -> None:
        if self.kind not in WHOLE_REQUEST and self.kind not in MID_STREAM:
            raise ValueError(f"unknown failure {self.kind!r}; known: {sorted(WHOLE_REQUEST | MID_STREAM)}")

    @property
    def whole_request(self) -> bool:
        return self.kind in WHOLE_REQUEST

    def matches(self, request: Request, dice: random.Random, probe: bool) -> bool:
        if probe and self.path is None and (self.times is not None or not self.whole_request):
            return False
        if self.times is not None and self.hits >= self.times:
            return False
        if self.path is not None and not request.path.startswith(self.path):
            return False
        if self.model is not None and self.model != request.model:
            return False
        if self.rate < 1.0 and dice.random() >= self.rate:
            return False
        self.hits += 1
        return True

    def response(self, request: Request) -> tuple[int, str, bytes]:
        """Status, content type and body of a whole-request failure."""
        if self.kind == "garbage":
            return (
                200,
                "application/x-ndjson",
                b'{"model": "x", "message": {"content": "hel\n\x00\xff not json }{\n',
            )
        if self.kind == "echo":
            return (
                500,
                "application/json",
                _error(request, "failed on: " + request.body.decode("utf-8", "replace")),
            )
        if self.kind == "oom":
            return 500, "application/json", _error(request, OOM_TEXT)
        text = self.text.encode()
        if text[:1] in (b"{", b"["):
            return self.status, "application/json", text
        return self.status, "application/json", _error(request, self.text)


def _error(request: Request, message: str) -> bytes:
    if request.path.startswith("/v1/"):
        return orjson.dumps({"error": {"message": message, "type": "api_error", "param": None, "code": None}})
    return orjson.dumps({"error": message})
