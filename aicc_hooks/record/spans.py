"""Stretches of text to replace, and texts that are data rather than words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_DATA_URL: Final = re.compile(
    r"data:([\w.+-]{1,40}/[\w.+-]{1,60})?(?:;[\w.+=-]{1,60}){0,8},([^\s\"'<>)\]}\\]*)", re.I
)
_BASE64_BLOB: Final = re.compile(r"[A-Za-z0-9+/_\-\r\n]{256,}={0,2}\s*")
_TEXT_PART_TYPES: Final = frozenset({"text", "input_text", "output_text"})


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch to replace. `value` is what a correlating hash is made of."""

    start: int
    end: int
    type: str
    value: str


def fold_data_urls(text: str) -> str:
    """Data URLs as `[DATA:mime,bytes]`: an encoded picture or file cannot be scanned for values."""
    return _DATA_URL.sub(_data_label, text)


def is_base64_blob(text: str) -> bool:
    """True for a long text of nothing but base64 (audio, file and image parts)."""
    return len(text) > 256 and _BASE64_BLOB.fullmatch(text) is not None


def is_text_part(item: object) -> bool:
    return (
        isinstance(item, dict)
        and item.keys() == {"type", "text"}
        and item["type"] in _TEXT_PART_TYPES
        and isinstance(item["text"], str)
    )


def _data_label(match: re.Match[str]) -> str:
    return f"[DATA:{(match.group(1) or 'text/plain').lower()},{len(match.group(2)) * 3 // 4}]"


def shift(spans: list[Span], by: int) -> list[Span]:
    return [Span(s.start + by, s.end + by, s.type, s.value) for s in spans]


def merge(spans: list[Span]) -> list[Span]:
    """Overlapping spans become one, named after the longest of them, so that no edge of a value shows."""
    merged: list[Span] = []
    longest = 0
    for span in sorted(spans, key=lambda s: (s.start, -s.end)):
        if merged and span.start < merged[-1].end:
            last = merged[-1]
            wider = span.end - span.start > longest
            longest = max(longest, span.end - span.start)
            named = span if wider else last
            merged[-1] = Span(last.start, max(last.end, span.end), named.type, named.value)
        elif span.end > span.start:
            merged.append(span)
            longest = span.end - span.start
    return merged
