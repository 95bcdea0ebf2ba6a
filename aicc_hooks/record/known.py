"""Values found in one request, looked for again in everything that request leads to.

A detector needs context ("the password is X"); a model that repeats the bare X gives none. So the
literal values of a request's findings are held in memory while it lives and replaced wherever they
turn up, also base64, URL-encoded, JSON-escaped, hex or reversed.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final
from urllib.parse import quote, quote_plus, unquote

from aicc_hooks.record.spans import Span
from aicc_hooks.verdict import JOINED, Finding, Segment

DEFAULT_TYPE: Final = "value"
# Shorter values only as whole words: replacing every "abc" inside other words would shred the text
# without hiding more.
_WHOLE_WORD_BELOW: Final = 6
_ENCODED_FROM: Final = 4
_PIECE_FROM: Final = 3  # characters of a value that was cut in two
_HEAD: Final = 6
_LINE_FROM: Final = 16
_URL_PASSWORD: Final = re.compile(r"://[^\s/:@]*:([^\s/@]{3,})@")
_NO_ESCAPES: Final = re.compile(r"[A-Za-z0-9_.~-]*")  # JSON and URLs write these as they are
_ESCAPE: Final = re.compile(r"%[0-9A-F]{2}")
_FEW: Final = 200  # forms: below this one search for each is quicker
_SEPARATORS: Final = re.compile(r"[\s.\-/]+")


def encoded_forms(value: str) -> set[str]:
    """The value and the encodings it is searched in. Case variants of hex and %-escapes included."""
    raw = value.encode("utf-8", "surrogatepass")
    forms = {value}
    compact = _SEPARATORS.sub("", value)
    if len(compact) >= 8 and any(c.isdigit() for c in compact):
        forms.add(compact)  # card and account numbers come back without their spaces
    if len(value) < _ENCODED_FROM:
        return forms
    if not _NO_ESCAPES.fullmatch(value):
        for text in (json.dumps(value), json.dumps(value, ensure_ascii=False)):
            forms.add(text[1:-1])
            forms.add(text[1:-1].replace("/", "\\/"))
            forms.add(json.dumps(text[1:-1])[1:-1])  # JSON inside a JSON string: tool-call arguments
        for url in (
            quote(value, safe="", errors="replace"),
            quote_plus(value, errors="replace"),
            quote(value, errors="replace"),
        ):
            forms |= {url, _ESCAPE.sub(lambda m: m.group().lower(), url)}
    forms |= {raw.hex(), raw.hex().upper(), value[::-1]}
    for shift in range(3):
        # Inside a longer base64 text the value starts at any of three alignments; the characters
        # that also encode its neighbours are cut off.
        plain = base64.b64encode(b"\0" * shift + raw).rstrip(b"=").decode()
        head = (0, 2, 3)[shift]
        tail = 0 if (shift + len(raw)) % 3 == 0 else 1
        core = plain[head : len(plain) - tail]
        if len(core) >= _ENCODED_FROM:
            forms |= {core, core.replace("+", "-").replace("/", "_")}
        if shift == 0:
            forms.add(plain)
    return {form for form in forms if form}


def _parts(value: str) -> list[str]:
    """What of a value is a secret by itself: the lines of a key block, the password of an address."""
    parts = [line.strip() for line in value.splitlines()] if "\n" in value else []
    parts = [line for line in parts if len(line) >= _LINE_FROM and not line.startswith("-----")]
    return parts + [unquote(word) for word in _URL_PASSWORD.findall(value)] + _URL_PASSWORD.findall(value)


class KnownValues:
    """A prepared set of values. Immutable; safe to share between threads."""

    __slots__ = ("_few", "_heads", "_short", "_words", "values")

    def __init__(self, values: Iterable[str] | Mapping[str, str] = ()) -> None:
        typed = values if isinstance(values, Mapping) else dict.fromkeys(values, DEFAULT_TYPE)
        self.values: dict[str, str] = {}
        for value, kind in typed.items():
            for part in (value.strip(), *_parts(value)):
                if part:
                    self.values.setdefault(part, kind)
        forms: dict[str, tuple[str, str]] = {}
        words: list[tuple[re.Pattern[str], str, str]] = []
        for value, kind in self.values.items():
            if len(value) < _WHOLE_WORD_BELOW:
                words.append((re.compile(rf"(?<!\w){re.escape(value)}(?!\w)"), kind, value))
            for form in encoded_forms(value):
                if len(form) >= _WHOLE_WORD_BELOW or form != value:
                    forms.setdefault(form, (kind, value))
        # By their first characters: a text is only searched for forms whose head occurs in it, so that the cost
        # depends on the text and hardly on the number of values (a list of customers holds thousands).
        self._heads: dict[str, list[tuple[str, str, str]]] = {}
        for form, (kind, value) in forms.items():
            self._heads.setdefault(form[:_HEAD], []).append((form, kind, value))
        self._short = [head for head in self._heads if len(head) < _HEAD]
        self._few = len(forms) < _FEW
        self._words = words

    def __bool__(self) -> bool:
        return bool(self.values)

    def spans(self, text: str, heads: AbstractSet[str] | None = None) -> list[Span]:
        """Every occurrence. `heads`: `heads_of(text)`, when the caller asks several sets about one text."""
        found: list[Span] = []
        if heads is None and self._few:
            present = set(self._heads)
        else:
            present = self._heads.keys() & (heads_of(text) if heads is None else heads)
            present.update(head for head in self._short if head in text)
        for head in present:
            for form, kind, value in self._heads[head]:
                at = text.find(form)
                while at >= 0:
                    found.append(Span(at, at + len(form), kind, value))
                    at = text.find(form, at + len(form))
        for pattern, kind, value in self._words:
            found += [Span(m.start(), m.end(), kind, value) for m in pattern.finditer(text)]
        return found


def heads_of(text: str) -> set[str]:
    """Every stretch of `_HEAD` characters of a text."""
    return {text[i : i + _HEAD] for i in range(len(text) - _HEAD + 1)}


def values_of(segments: Sequence[Segment], findings: Iterable[Finding]) -> dict[str, str]:
    """Value → entity name of a request's findings. Hold it in memory only, never log or store it."""
    values: dict[str, str] = {}
    for finding in findings:
        if finding.action != "ignore" and 0 <= finding.segment < len(segments):
            segment = segments[finding.segment]
            value = segment.text[finding.start : finding.end]
            values[value] = finding.type
            if segment.path.endswith(JOINED):
                values |= dict.fromkeys(_pieces(value, segment.path[: -len(JOINED)], segments), finding.type)
    return values


def _pieces(value: str, path: str, segments: Sequence[Segment]) -> Iterator[str]:
    """What each of several parts holds of a value that they only say together."""
    sizes = range(len(value) - 1, _PIECE_FROM - 1, -1)
    for segment in segments:
        text = segment.text
        if not segment.path.startswith(path) or segment.path.endswith(JOINED):
            continue
        if len(text.strip()) >= _PIECE_FROM and text.strip() in value:
            yield text.strip()
        yield from (value[:size] for size in sizes if text.endswith(value[:size]))
        yield from (value[-size:] for size in sizes if text.startswith(value[-size:]))


class LiveValues:
    """The known values of all requests in flight, for log lines that cannot be tied to one request.

    Values stay `grace_s` seconds after `release`: LiteLLM's log workers lag behind the response.
    """

    def __init__(self, grace_s: float = 60.0, limit: int = 5_000) -> None:
        self._grace = grace_s
        self._limit = limit
        self._held: dict[str, tuple[KnownValues, float]] = {}
        self._lock = threading.Lock()

    def hold(self, request_id: str, known: KnownValues) -> None:
        """Look for these values in log lines from now on."""
        if known:
            with self._lock:
                self._held[request_id] = (known, float("inf"))
                while len(self._held) > self._limit:
                    self._held.pop(next(iter(self._held)))

    def release(self, request_id: str) -> None:
        """The request is over; its values are forgotten after the grace period."""
        with self._lock:
            entry = self._held.get(request_id)
            if entry:
                self._held[request_id] = (entry[0], time.monotonic() + self._grace)

    def spans(self, text: str) -> list[Span]:
        """Occurrences of any live value."""
        now = time.monotonic()
        with self._lock:
            for key in [k for k, (_, until) in self._held.items() if until < now]:
                del self._held[key]
            live = [known for known, _ in self._held.values()]
        heads = heads_of(text) if live else set()
        return [span for known in live for span in known.spans(text, heads)]
