"""Stretches of text to replace, and texts that are data rather than words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from aicc_hooks.detect.runs import long_runs

_DATA_URL: Final = re.compile(
    r"data:([\w.+-]{1,40}/[\w.+-]{1,60})?(?:;[\w.+=-]{1,60}){0,8},([^\s\"'<>)\]}\\]*)", re.I
)
_BASE64_BLOB: Final = re.compile(r"[A-Za-z0-9+/_-]{256,}={0,2}")
_LONG: Final = 1024
# Within JSON its line ends and slashes are escaped.
_LONG_RUN: Final = re.compile(
    rf"(?<![A-Za-z0-9+/_\\-])(?:[A-Za-z0-9+/_-]|\\{{1,8}}[nr/]){{{_LONG},}}+={{0,2}}"
)
_WORD: Final = 40  # characters: words of prose are shorter on average, lines of base64 longer
_WHOLE_URL: Final = re.compile(r"\s*data:[^,\"'<>]{0,200};\s{0,4}base64\s{0,4},[A-Za-z0-9+/=_%\s-]*\Z", re.I)
_TEXT_PART_TYPES: Final = frozenset({"text", "input_text", "output_text"})


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch to replace. `value` is what a correlating hash is made of."""

    start: int
    end: int
    type: str
    value: str


def holds_data(text: str) -> bool:
    """True when `fold_data` may find something."""
    return "data:" in text.lower() or bool(long_runs(text, _LONG))


def fold_data(text: str) -> str:
    """Data URLs as `[DATA:mime,bytes]`, long base64 as `[DATA:base64,bytes]`: what is encoded cannot be scanned for values."""
    if _WHOLE_URL.match(text):  # decoders pass over blanks in it
        return _DATA_URL.sub(_data_label, "".join(text.split()))
    return _LONG_RUN.sub(_base64_label, _DATA_URL.sub(_data_label, text))


def is_base64_blob(text: str) -> bool:
    """True for a long text of nothing but base64 (audio, file and image parts)."""
    # The beginning first: most texts are prose, and long.
    return len(text) > 256 and _is_blob(text[:512]) and _is_blob(text)


def _is_blob(text: str) -> bool:
    pieces = text.split()
    return len(text) > _WORD * (len(pieces) - 1) and _BASE64_BLOB.fullmatch("".join(pieces)) is not None


def is_text_part(item: object) -> bool:
    return (
        isinstance(item, dict)
        and item.keys() == {"type", "text"}
        and item["type"] in _TEXT_PART_TYPES
        and isinstance(item["text"], str)
    )


def _data_label(match: re.Match[str]) -> str:
    return f"[DATA:{(match.group(1) or 'text/plain').lower()},{len(match.group(2)) * 3 // 4}]"


def _base64_label(match: re.Match[str]) -> str:
    return f"[DATA:base64,{len(match.group()) * 3 // 4}]"


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
