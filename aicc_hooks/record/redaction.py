"""What of a request's text may be written: the last thing that happens before a record exists."""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import re
import threading
from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

from aicc_hooks.errors import ConfigError
from aicc_hooks.record.config import RedactionConfig
from aicc_hooks.record.known import KnownValues
from aicc_hooks.record.model import Json
from aicc_hooks.record.spans import Span, fold_data, holds_data, is_base64_blob, is_text_part, merge, shift
from aicc_hooks.verdict import Finding, Role

DROPPED: Final = "[DROPPED]"
_SCAN_MARGIN: Final = 16_384  # a secret that begins inside the kept part is seen to its end
_MAX_DEPTH: Final = 40
_MAX_NODES: Final = 50_000
_SEEN_LIMIT: Final = 4_096  # texts; about 1 MB

_PLAIN_KEY: Final = re.compile(r"[a-z_]{1,24}")
_KEPT_IN_FULL: Final = frozenset({"role", "type", "finish_reason", "status", "object"})
_KEPT_WORD: Final = re.compile(r"[a-z_]{1,32}")
# Values under these keys are prose with its own context; pairing them with their key only costs time.
_PROSE_KEYS: Final = frozenset({"role", "content", "text", "type", "finish_reason", "id", "index", "description", "input", "output"})  # fmt: skip
_ROLES: Final = {
    "system": Role.SYSTEM, "developer": Role.SYSTEM, "user": Role.USER, "assistant": Role.ASSISTANT,
    "model": Role.ASSISTANT, "tool": Role.TOOL, "function": Role.TOOL,
}  # fmt: skip


class Finder(Protocol):
    """The privacy detector, as far as redaction needs it."""

    def find(self, text: str, role: Role) -> tuple[Finding, ...]:
        """Findings in one text; may raise."""
        ...


class Redactor:
    """Replaces findings and known values by `[TYPE]`. Thread-safe; one instance a policy.

    `key` makes correlating hashes and pseudonyms; without it they could be guessed by trying values.
    """

    def __init__(self, detector: Finder, config: RedactionConfig, key: bytes) -> None:
        if config.mode == "none" and not config.confirm_none:
            raise ConfigError("redaction.mode: none needs redaction.confirm_none: true")
        if len(key) < 16:
            raise ConfigError("the redaction key must have at least 16 bytes")
        self.config = config
        self._detector = detector
        self._key = key
        self._lock = threading.Lock()
        self._seen: dict[bytes, tuple[tuple[int, int, str], ...]] = {}
        self.failures = 0  # texts dropped because they could not be redacted

    def run(self, known: KnownValues | Iterable[str] | Mapping[str, str] = ()) -> RedactionRun:
        """A pass over the texts of one request, which share its known values and its marks."""
        return RedactionRun(self, known if isinstance(known, KnownValues) else KnownValues(known))

    def text(self, text: str, *, role: Role = Role.USER, known: KnownValues | Iterable[str] = ()) -> str:
        """One text, redacted."""
        return self.run(known).text(text, role=role)

    def value(
        self, value: object, *, role: Role = Role.USER, known: KnownValues | Iterable[str] = ()
    ) -> Json:
        """A JSON-like structure, redacted."""
        return self.run(known).value(value, role=role)

    def pseudonym(self, value: str, purpose: str) -> str:
        """Stable keyed hash of a user or session id (16 hex digits; "" stays "")."""
        if not value:
            return ""
        message = f"{purpose}\0{value}".encode("utf-8", "surrogatepass")
        return hmac.new(self._key, message, hashlib.sha256).hexdigest()[:16]

    def label(self, span: Span) -> str:
        """`[TYPE]`, or `[TYPE:ab12]` when the policy wants to see equal values as equal."""
        name = span.type.upper()
        if not self.config.correlate:
            return f"[{name}]"
        message = span.value.encode("utf-8", "surrogatepass")
        return f"[{name}:{hmac.new(self._key, message, hashlib.sha256).hexdigest()[:4]}]"

    def find(self, text: str, role: Role) -> list[Span]:
        """The detector's findings as spans. Raises what the detector raises, ValueError on bad offsets."""
        # Every turn of a conversation sends its whole history again. Only digests and offsets are kept.
        digest = hashlib.blake2b(
            text.encode("utf-8", "surrogatepass"),
            key=self._key[:64],
            person=role.value.encode(),
            digest_size=16,
        ).digest()
        seen = self._seen.get(digest)
        if seen is None:
            findings = (f for f in self._detector.find(text, role) if f.action != "ignore")
            seen = tuple((f.start, f.end, f.type) for f in findings)
            if any(not 0 <= start < end <= len(text) for start, end, _ in seen):
                raise ValueError("finding outside its text")
            with self._lock:
                if len(self._seen) >= _SEEN_LIMIT:
                    self._seen.clear()
                self._seen[digest] = seen
        return [Span(start, end, kind, text[start:end]) for start, end, kind in seen]

    def count_failure(self) -> None:
        """A text was dropped."""
        with self._lock:
            self.failures += 1


class RedactionRun:
    """One request's pass. `truncated` and `dropped` tell what was lost on the way. Never raises."""

    __slots__ = ("_known", "_nodes", "_redactor", "dropped", "truncated")

    def __init__(self, redactor: Redactor, known: KnownValues) -> None:
        self._redactor = redactor
        self._known = known
        self._nodes = 0
        self.truncated = False
        self.dropped = False

    def text(
        self, text: str, *, role: Role = Role.USER, context: str = "", joints: tuple[int, ...] = ()
    ) -> str:
        """One text. `context` is the key it stands under; `joints` are offsets where parts were joined."""
        try:
            return self._text(text, role, context, joints)
        except Exception:
            return self._drop()

    def name(self, text: str, *, limit: int = 200) -> str:
        """A short name (model, path): findings are replaced, but `full` keeps the rest readable."""
        try:
            spans = self._redactor.find(text, Role.META) + self._known.spans(text)
            return self._replace(
                text, spans if self._redactor.config.mode != "none" else [], limit, len(text)
            )
        except Exception:
            return self._drop()

    def stream(self, chunks: Iterable[str], *, role: Role = Role.ASSISTANT) -> str:
        """The chunks of one streamed text, joined first: a value may be cut between two chunks."""
        try:
            joined = "".join(chunks)
        except Exception:
            return self._drop()
        return self.text(joined, role=role)

    def value(self, value: object, *, role: Role = Role.USER) -> Json:
        """Messages, tool calls, results: every string in them, keys and long numbers too."""
        try:
            return self._walk(value, role, "", 0)
        except Exception:
            return self._drop()

    def _drop(self) -> str:
        self.dropped = True
        self._redactor.count_failure()
        return DROPPED

    def _text(self, text: str, role: Role, context: str, joints: tuple[int, ...]) -> str:
        config = self._redactor.config
        if config.mode == "full":
            return f"[TEXT:{len(text)}]" if text else ""
        limit = config.max_chars
        if is_base64_blob(text):
            return f"[DATA:base64,{len(text) * 3 // 4}]"
        if config.mode == "findings":
            if not joints and holds_data(text[: limit + _SCAN_MARGIN]):
                text = fold_data(text)
            full = len(text)
            text = text[: limit + _SCAN_MARGIN]
            spans = self._redactor.find(text, role) + self._known.spans(text)
            for start, end in zip((0, *joints), (*joints, len(text)), strict=True) if joints else ():
                # Joining parts can glue a value to its neighbour and hide it; each part is read alone too.
                spans += shift(self._redactor.find(text[start:end], role), start)
            if context:
                spans += self._in_context(context, text, role)
            return self._replace(text, spans, limit, full)
        return self._replace(text, [], limit, len(text))

    def _in_context(self, key: str, text: str, role: Role) -> list[Span]:
        """What the text is when read as `"key": "text"`: {"password": "hunter2"} says so in the key only."""
        head = f'"{key}": "'
        spans = self._redactor.find(f'{head}{text}"', role)
        offset, size = len(head), len(text)
        return [
            Span(max(s.start - offset, 0), min(s.end - offset, size), s.type, s.value)
            for s in spans
            if s.end > offset and s.start < offset + size
        ]

    def _replace(self, text: str, spans: list[Span], limit: int, full: int) -> str:
        out: list[str] = []
        size = at = 0
        for span in merge(spans):
            if size + span.start - at >= limit:
                break
            label = self._redactor.label(span)
            out += (text[at : span.start], label)
            size += span.start - at + len(label)
            at = span.end
        rest = text[at : at + max(limit - size, 0)]
        out.append(rest)
        lost = full - at - len(rest)
        if lost > 0:
            self.truncated = True
            out.append(f"[TRUNCATED:{lost}]")
        return "".join(out)

    def _walk(self, value: object, role: Role, key: str, depth: int) -> Json:
        self._nodes += 1
        if depth > _MAX_DEPTH or self._nodes > _MAX_NODES:
            return self._drop()
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self._string(value, role, key, depth)
        if isinstance(value, (int, float)):
            return self._number(value, role, key)
        if isinstance(value, Mapping):
            return self._mapping(value, role, depth)
        if isinstance(value, (list, tuple)):
            return self._sequence(value, role, key, depth)
        if isinstance(value, (bytes, bytearray, memoryview)):
            return f"[DATA:bytes,{len(value)}]"
        return self._drop()  # an object of unknown shape could print anything

    def _string(self, text: str, role: Role, key: str, depth: int) -> str:
        if key in _KEPT_IN_FULL and _KEPT_WORD.fullmatch(text) and not self._known.spans(text):
            return text
        context = key if key and key not in _PROSE_KEYS else ""
        if (
            text[:1] in "{["
            and len(text) <= self._redactor.config.max_chars
            and self._redactor.config.mode == "findings"
        ):
            # Tool-call arguments are JSON in a string: escapes hide values from a scan of the raw text.
            try:
                inner = json.loads(text)
            except ValueError:
                inner = None
            if isinstance(inner, (dict, list)):
                text = json.dumps(self._walk(inner, Role.SCHEMA, "", depth + 1), ensure_ascii=False)
        return self.text(text, role=role, context=context)

    def _number(self, value: int | float, role: Role, key: str) -> Json:
        text = repr(value)
        if not math.isfinite(value):
            return text  # NaN is no JSON
        if len(text) < 4 or (self._redactor.config.mode == "none"):
            return value
        if self._redactor.config.mode == "full":
            return value if len(text) < 7 else self.text(text)
        redacted = self.text(text, role=role, context=key if key not in _PROSE_KEYS else "")
        return value if redacted == text else redacted

    def _key(self, key: object, role: Role) -> str:
        text = key if isinstance(key, str) else str(key)
        mode = self._redactor.config.mode
        if mode == "none" or (_PLAIN_KEY.fullmatch(text) and not self._known.spans(text)):
            return text
        return self.text(text, role=role)

    def _mapping(self, value: Mapping[Any, Any], role: Role, depth: int) -> dict[str, Json]:
        role = _ROLES.get(str(value.get("role")), role)
        out: dict[str, Json] = {}
        for key, item in value.items():
            name = self._key(key, role)
            while name in out:  # two redacted keys may become equal; neither may swallow the other
                name += "'"
            out[name] = self._walk(item, role, str(key), depth + 1)
        return out

    def _sequence(self, items: list[Any] | tuple[Any, ...], role: Role, key: str, depth: int) -> list[Json]:
        out: list[Json] = []
        run: list[str] = []

        def close_run(kind: str) -> None:
            if run:
                joints = tuple(sum(map(len, run[: i + 1])) for i in range(len(run) - 1))
                out.append({"type": kind, "text": self.text("".join(run), role=role, joints=joints)})
                run.clear()

        kind = "text"
        for item in items:
            if is_text_part(item):
                if item["type"] != kind:
                    close_run(kind)
                kind = item["type"]
                run.append(item["text"])
                continue
            close_run(kind)
            out.append(self._walk(item, role, key, depth + 1))
        close_run(kind)
        return out
