"""The record: the one row a request leaves behind, made of allow-listed fields only."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

RECORD_VERSION: Final = 1

Json = Any  # None, bool, int, float, str, or lists and str-keyed dicts of these


@dataclass(frozen=True, slots=True)
class Attempt:
    """One failed try of a fallback chain."""

    deployment: str
    error: str  # kind: timeout, connection, http_500 …; never a message


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of one request after redaction. Times in epoch seconds, durations in milliseconds.

    A duration of None means the phase was not reached. Every field that can hold text a client or a
    model wrote has been through the redactor: build records with `RecordDraft.build`.
    """

    id: str
    start: float
    end: float
    endpoint: str = ""
    requested: str = ""  # the model as the client named it
    route: str = ""
    reason: str = ""
    sentence: str = ""
    deployment: str = ""
    tier: str = ""
    privacy: tuple[str, ...] = ()  # sorted entity names
    privacy_counts: dict[str, int] = field(default_factory=dict)
    injection: float = 0.0
    injection_rules: tuple[str, ...] = ()
    cache: str = ""  # miss | exact | semantic | bypass
    cache_similarity: float | None = None
    cache_age_s: float | None = None
    variant: str = ""
    prompt_name: str = ""  # of the variant's prompt in Langfuse
    prompt_version: int = 0  # 0: its fallback text, which Langfuse does not know
    variant_content: str = ""  # hash of what the variant does
    unit: str = ""  # what the experiment dealt to: its kind and a keyed hash
    prompt_tokens: int = 0
    completion_tokens: int = 0
    gate_ms: float | None = None
    hooks_ms: float | None = None
    cache_ms: float | None = None
    upstream_ms: float | None = None
    first_token_ms: float | None = None
    total_ms: float | None = None
    status: int = 0  # as the client saw it; 499: the client went away
    error: str = ""  # stable code, "" when served
    error_text: str = ""  # redacted message
    attempts: tuple[Attempt, ...] = ()
    user: str = ""
    session: str = ""
    client: str = ""  # user-agent family
    stream: bool = False
    mode: str = "live"  # live | demo
    truncated: bool = False  # some text was cut to redaction.max_chars
    cut: str = ""  # what the model lost: "reply" (max_tokens or context) or "prompt" (it filled num_ctx)
    dropped: bool = False  # some text could not be redacted and was left out
    cold_start: bool = False
    local_only: bool = False
    sticky: bool = False
    input: Json = None
    output: Json = None
    version: int = RECORD_VERSION

    @property
    def failed(self) -> bool:
        """True when the client got an error."""
        return bool(self.error) or self.status >= 400

    def to_dict(self) -> dict[str, Any]:
        """JSON-able dict with every field; input and output are shared, not copied."""
        # `asdict` copies the whole conversation, which costs more than everything else the writer does.
        data = {name: getattr(self, name) for name in _TYPES}
        data["privacy"], data["injection_rules"] = list(self.privacy), list(self.injection_rules)
        data["attempts"] = [{"deployment": a.deployment, "error": a.error} for a in self.attempts]
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Record:
        """Inverse of `to_dict`. Unknown keys are ignored, missing ones get their default.

        Raises ValueError when id or times are missing or a value has the wrong type.
        """
        values = {name: data[name] for name in _TYPES if name in data}
        try:
            for name in ("privacy", "injection_rules"):
                if name in values:
                    values[name] = tuple(str(item) for item in values[name])
            if "attempts" in values:
                values["attempts"] = tuple(
                    Attempt(str(a["deployment"]), str(a["error"])) for a in values["attempts"]
                )
            for name, value in values.items():
                if not isinstance(value, _TYPES[name]):
                    raise TypeError(name)
            return cls(**values)
        except (TypeError, KeyError) as error:
            raise ValueError(f"not a record: {error}") from None


def _accepted(hint: Any) -> tuple[type, ...]:
    """Runtime classes a field takes; an int is fine where a float is asked."""
    if get_origin(hint) in (Union, types.UnionType):
        return tuple(cls for arg in get_args(hint) for cls in _accepted(arg))
    if hint is float:
        return (float, int)
    origin = get_origin(hint)
    return (origin if isinstance(origin, type) else hint,)


def _field_types() -> dict[str, tuple[type, ...]]:
    hints = get_type_hints(Record)
    return {
        f.name: (object,) if f.name in ("input", "output") else _accepted(hints[f.name])
        for f in fields(Record)
    }


_TYPES: Final = _field_types()

Feedback = Literal["stored", "duplicate", "unknown"]
