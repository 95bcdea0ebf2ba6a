"""What of an answer the cache may be given: whole, and without findings."""

from __future__ import annotations

from aicc_hooks.detect.privacy import PrivacyDetector
from aicc_hooks.payload.extract import render
from aicc_hooks.payload.replay import whole_of
from aicc_hooks.payload.response import parse_response
from aicc_hooks.verdict import Role


def worth_keeping(
    detector: PrivacyDetector | None, endpoint: str, body: bytes, *, stream: bool
) -> bytes | None:
    """The answer as it is stored; None when it is not whole or holds a finding. For a thread: it reads all of it."""
    whole = whole_of(endpoint, body) if stream else body
    return None if whole is None or _tells_something(detector, endpoint, whole) else whole


def _tells_something(detector: PrivacyDetector | None, endpoint: str, whole: bytes) -> bool:
    """True when the answer holds a finding, which a model may invent or a tool bring in."""
    if endpoint in ("embeddings", "rerank"):
        return False
    try:
        # Strings as they are: the arguments of a tool call are JSON already, and the detector reads its escapes.
        text = render(parse_response(endpoint, whole, stream=False).output)
        return detector is None or any(f.action != "ignore" for f in detector.find(text, Role.ASSISTANT))
    except Exception:
        return True
