"""What gateway and scan process say to each other: pickled tuples behind an 8-byte length, over a private socket pair.

To the process: ("policy", version, privacy, injection, complexity), ("scan", job, version, lane, active, tools, segments),
("cancel", job). From it: ("ready",), ("done", job, verdict | None), ("broken", exception name).
Segments and verdicts travel as plain tuples: a dataclass costs pickle 5 µs, and a text may hold 20,000 findings.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Iterable, Sequence
from typing import Any, Final

from aicc_hooks.verdict import (
    ComplexityResult,
    Finding,
    InjectionResult,
    PrivacyResult,
    Role,
    Segment,
    Verdict,
)

HEADER: Final = struct.Struct(">Q")
LIMIT: Final = 1 << 30  # no frame is larger; a length beyond it means the two are out of step


def pack(*parts: Any) -> bytes:
    """One frame."""
    body = pickle.dumps(parts, protocol=5)
    return HEADER.pack(len(body)) + body


def unpack(body: bytes | bytearray) -> tuple[Any, ...]:
    """The parts of a frame's body. Only for bytes from our own other half."""
    parts = pickle.loads(body)  # noqa: S301
    assert isinstance(parts, tuple)
    return parts


def plain_segments(segments: Iterable[Segment]) -> list[tuple[str, str, int, str]]:
    """Segments as tuples."""
    return [(s.text, s.role.value, s.turn, s.path) for s in segments]


def segments_of(rows: Iterable[tuple[str, str, int, str]]) -> list[Segment]:
    """The other way."""
    return [Segment(text, Role(role), turn, path) for text, role, turn, path in rows]


def plain_verdict(verdict: Verdict) -> tuple[Any, ...]:
    """A verdict as tuples."""
    p, i, c = verdict.privacy, verdict.injection, verdict.complexity
    return (
        ([(f.type, f.start, f.end, f.action, f.segment) for f in p.findings], p.failed),
        (i.score, i.flagged, i.block, i.rules, i.segment, i.failed),
        (c.tier, c.score, c.why, c.ask_tokens, c.continuation, c.failed),
        verdict.tokens,
        verdict.sticky,
    )


def verdict_of(row: Sequence[Any]) -> Verdict:
    """The other way."""
    (findings, failed), injection, complexity, tokens, sticky = row
    return Verdict(
        privacy=PrivacyResult(tuple([Finding(*f) for f in findings]), failed),
        injection=InjectionResult(*injection),
        complexity=ComplexityResult(*complexity),
        tokens=tokens,
        sticky=sticky,
    )
