"""The frozen vocabulary every part speaks: Segment, Finding, Verdict, Decision."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal


class Role(StrEnum):
    """Who speaks in a segment. Detectors judge the same words differently by role."""

    USER = "user"
    SYSTEM = "system"  # system and developer messages, `instructions`
    ASSISTANT = "assistant"
    TOOL = "tool"  # tool/function results
    DOCUMENT = "document"  # retrieved documents, embedding input, rerank documents, files
    SCHEMA = "schema"  # tool definitions, response formats, function-call arguments
    META = "meta"  # `name`, `user`, metadata: scanned for privacy only


Tier = Literal["simple", "medium", "complex"]
Action = Literal["route", "redact", "ignore"]


# Ends the path of what neighbouring parts of a content say together; each of them is a segment of its own beside it.
JOINED: Final = "[+]"


@dataclass(frozen=True, slots=True)
class Segment:
    """One text of a request. `turn` is the message index (-1: outside the messages)."""

    text: str
    role: Role = Role.USER
    turn: int = -1
    path: str = ""  # e.g. "messages[2].content[0].text"; never holds request text


@dataclass(frozen=True, slots=True)
class Finding:
    """An entity found in one segment. Offsets are code points of that segment's text, end exclusive.

    Never holds the value itself: a Finding may be logged.
    """

    type: str
    start: int
    end: int
    action: Action = "route"
    segment: int = 0


@dataclass(frozen=True, slots=True)
class PrivacyResult:
    """Findings over all segments. `failed`: detection broke, treat the request as sensitive."""

    findings: tuple[Finding, ...] = ()
    failed: bool = False

    @property
    def sensitive(self) -> bool:
        """True when some finding keeps the request on this machine (fail closed when detection broke)."""
        return self.failed or any(f.action == "route" for f in self.findings)

    @property
    def types(self) -> tuple[str, ...]:
        """Sorted entity names, without values; `detector_failed` when detection broke."""
        names = {f.type for f in self.findings}
        if self.failed:
            names.add("detector_failed")
        return tuple(sorted(names))

    @property
    def route_types(self) -> tuple[str, ...]:
        """Sorted names of the entities that make the request private."""
        return tuple(sorted({f.type for f in self.findings if f.action == "route"}))


@dataclass(frozen=True, slots=True)
class InjectionResult:
    """Calibrated score in [0, 1]; `rules` names what fired; `segment` is the worst one (-1: none)."""

    score: float = 0.0
    flagged: bool = False
    block: bool = False  # score reached injection.block_threshold
    rules: tuple[str, ...] = ()
    segment: int = -1
    failed: bool = False


@dataclass(frozen=True, slots=True)
class ComplexityResult:
    """Tier of the *ask*. `score` in [0, 1] rises with difficulty; `why` are short words for a person."""

    tier: Tier = "medium"
    score: float = 0.5
    why: tuple[str, ...] = ()
    ask_tokens: int = 0
    continuation: bool = False
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one request is: sensitive, an attack, hard. Made once, held server-side, read everywhere."""

    privacy: PrivacyResult = field(default_factory=PrivacyResult)
    injection: InjectionResult = field(default_factory=InjectionResult)
    complexity: ComplexityResult = field(default_factory=ComplexityResult)
    tokens: int = 0  # estimate for the whole request
    sticky: bool = False  # private only because an earlier turn of the session was


@dataclass(frozen=True, slots=True)
class Needs:
    """Hard constraints a model must meet to serve the request."""

    tools: bool = False
    vision: bool = False
    json_schema: bool = False
    tokens: int = 0  # prompt estimate; plus the answer's room once a policy was applied
    reply: int = 0  # the request's max_tokens; 0: it names none
    mode: str = "chat"  # chat | embedding | rerank | other (a door the owner opened: its model is its own)
    audio: bool = False
    files: bool = False  # files that nobody here can read: a PDF, a file's id or address
    links: bool = False  # pictures by their address, which the model's server would have to fetch


@dataclass(frozen=True, slots=True)
class Decision:
    """Where a request goes and why. `reason` is the ASCII `kind:detail` of the header contract."""

    route: str = ""
    reason: str = ""
    sentence: str = ""  # one line a person understands; no request text
    blocked: str = ""  # error code when refused ("" = served)
    local_only: bool = False
    cache: bool = True  # False: no lookup, no store
    variant: str = ""  # experiment:variant
    requested: str = ""
    steps: tuple[str, ...] = ()  # what each rule said, in order, for explain and the page
