"""Replace findings by their names, so that what is written down tells the kind and never the value."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, Literal

from aicc_hooks.verdict import Finding, Role

if TYPE_CHECKING:
    from .detector import PrivacyDetector

Style = Literal["type", "hash"]
DROPPED: Final = "[DROPPED]"
_ROUNDS: Final = 6


def redact(text: str, findings: Iterable[Finding], *, style: Style = "type", key: bytes | None = None) -> str:
    """Each finding becomes `[TYPE]`, or `[TYPE:ab12]` with a keyed hash that tells equal values apart from others.

    Findings must be of this text. ValueError when style "hash" comes without a key.
    """
    if style == "hash" and not key:
        raise ValueError("redaction style 'hash' needs a key")
    parts: list[str] = []
    at = 0
    for f in sorted(findings, key=lambda f: (f.start, f.end)):
        if f.end <= at:
            continue
        parts.append(text[at : max(at, f.start)])
        name = f.type.upper()
        if style == "hash" and key:
            digest = hmac.new(
                key, text[f.start : f.end].encode("utf-8", "surrogatepass"), hashlib.sha256
            ).hexdigest()
            name = f"{name}:{digest[:4]}"
        parts.append(f"[{name}]")
        at = f.end
    parts.append(text[at:])
    return "".join(parts)


def redact_text(
    detector: PrivacyDetector,
    text: str,
    role: Role = Role.USER,
    *,
    style: Style = "type",
    key: bytes | None = None,
) -> str:
    """Detect and redact in one step. On any failure the whole text is dropped, never passed on.

    Replacing one value can bring its neighbour into view of a cue, so this goes on until nothing more is found.
    """
    try:
        for _ in range(_ROUNDS):
            findings = detector.find(text, role)
            if not findings:
                break
            text = redact(text, findings, style=style, key=key)
        return text
    except Exception:
        return DROPPED
