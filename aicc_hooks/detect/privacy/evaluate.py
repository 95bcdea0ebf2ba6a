"""Measure the detector on labelled rows: full-span recall and false alarms, by kind, source, tier and entity."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aicc_hooks.detect.entities import CONTACT
from aicc_hooks.detect.labelled import LINE, named, read_labelled, text_problem
from aicc_hooks.verdict import Finding

from .config import PrivacyConfig
from .detector import PrivacyDetector

# The two groups the aims are stated for.
LOOSE: Final = frozenset(
    {"password", "date_of_birth", "driver_license", "passport", "person_name", "postal_address"}
)
STRUCTURED: Final = "structured"
CONTEXTUAL: Final = "contextual"


@dataclass(slots=True)
class Count:
    """Spans wanted, spans fully covered; clean texts, clean texts called sensitive, clean texts with any finding."""

    spans: int = 0
    full: int = 0
    clean: int = 0
    alarms: int = 0
    marked: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Counts with their shares."""
        out: dict[str, Any] = {}
        if self.spans:
            out |= {"spans": self.spans, "full": self.full, "recall": round(self.full / self.spans, 4)}
        if self.clean:
            out |= {"clean": self.clean, "alarms": self.alarms, "alarm_rate": round(self.alarms / self.clean, 4),
                    "marked": self.marked, "marked_rate": round(self.marked / self.clean, 4)}  # fmt: skip
        return out


@dataclass(slots=True)
class Report:
    """Counts under "overall", "group", "type", "kind", "source" and "tier", plus misses and false alarms by row id."""

    tables: dict[str, dict[str, Count]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Count))
    )
    misses: list[dict[str, Any]] = field(default_factory=list)
    alarms: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON; never holds row text."""
        tables = {
            name: {k: c.as_dict() for k, c in sorted(t.items(), key=lambda item: str(item[0]))}
            for name, t in self.tables.items()
        }
        return {**tables, "misses": self.misses, "alarms": self.alarms, "seconds": round(self.seconds, 3)}


def covered(start: int, end: int, findings: Sequence[Finding]) -> bool:
    """True when findings together cover the whole span, so that redaction leaves none of it."""
    at = start
    for f in findings:
        if f.start <= at < f.end:
            at = f.end
        if at >= end:
            return True
    return at >= end


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Rows of a JSON-lines file, gzipped or not. Raises DetectorError naming the line and field that is wrong."""
    return read_labelled(path, _problem)


def _problem(row: dict[str, Any]) -> str:
    if wrong := text_problem(row):
        return wrong
    spans = row.get("spans") or []
    if not isinstance(spans, list):
        return f"spans: found {named(spans)}; allowed: a list of objects with start, end and type"
    size = len(row["text"])
    for index, span in enumerate(spans):
        at = f"spans[{index}]"
        if not isinstance(span, dict):
            return f"{at}: found {named(span)}; allowed: an object with start, end and type"
        if not isinstance(span.get("type"), str):
            return f"{at}.type: missing or no string; an entity name as in docs/detect-privacy.md"
        start, end = span.get("start"), span.get("end")
        if type(start) is not int or not 0 <= start < size:
            return f"{at}.start: allowed: 0 to {size - 1} (characters of text)"
        if type(end) is not int or not start < end <= size:
            return f"{at}.end: allowed: {start + 1} to {size} (characters of text)"
    return ""


def evaluate(rows: Iterable[Mapping[str, Any]], detector: PrivacyDetector | None = None) -> dict[str, Any]:
    """Rows hold `text`, `spans` [{start, end, type}] and optionally label, kind, source, tier, id.

    Tiers other than core count under their own name in table "tier" and nowhere else.
    """
    detector = detector or PrivacyDetector(PrivacyConfig())
    report = Report()
    for index, row in enumerate(rows):
        text = row["text"]
        began = time.perf_counter()
        findings = detector.find(text)
        report.seconds += time.perf_counter() - began
        tier = row.get("tier", "core")
        keys = [("tier", tier)]
        if tier == "core":
            keys += [
                ("overall", "all"),
                ("kind", row.get("kind", "-")),
                ("source", str(row.get("source", "-")).split(":")[0].split("/neg/")[0]),
            ]
        spans = row.get("spans") or ()
        ident = row.get("id", row.get(LINE, index))
        for span in spans:
            hit = covered(span["start"], span["end"], findings)
            group = CONTEXTUAL if span["type"] in LOOSE else STRUCTURED
            for table, key in [
                *keys,
                *([("type", span["type"]), ("group", group)] if tier == "core" else []),
            ]:
                count = report.tables[table][key]
                count.spans += 1
                count.full += hit
            if not hit:
                report.misses.append(
                    {
                        "id": ident,
                        "type": span["type"],
                        "start": span["start"],
                        "end": span["end"],
                        "tier": tier,
                    }
                )
        if not spans and not row.get("label"):
            alarm = any(f.action == "route" for f in findings)
            for table, key in keys:
                count = report.tables[table][key]
                count.clean += 1
                count.alarms += alarm
                count.marked += bool(findings)
            if findings:
                report.alarms.append({"id": ident, "types": sorted({f.type for f in findings}), "sensitive": alarm, "tier": tier,
                                      "contact_only": all(f.type in CONTACT for f in findings)})  # fmt: skip
    return report.as_dict()


def table(
    result: Mapping[str, Any], names: Sequence[str] = ("overall", "group", "tier", "type", "kind")
) -> str:
    """The result as Markdown."""
    lines: list[str] = []
    for name in names:
        lines += [
            "",
            f"| {name} | spans | full-span recall | clean texts | called sensitive | any finding |",
            "|---|---|---|---|---|---|",
        ]
        for key, c in result.get(name, {}).items():
            recall = f"{c['recall']:.1%}" if "recall" in c else ""
            alarms = f"{c['alarm_rate']:.1%}" if "clean" in c else ""
            marked = f"{c['marked_rate']:.1%}" if "clean" in c else ""
            lines.append(
                f"| {key} | {c.get('spans', '')} | {recall} | {c.get('clean', '')} | {alarms} | {marked} |"
            )
    return "\n".join(lines[1:])


def text(result: Mapping[str, Any]) -> str:
    """The tables, and by id or line what was missed and what was found in clean texts: what the command line prints."""
    misses = [f"{m['id']}: {m['type']} at {m['start']}-{m['end']}" for m in result["misses"]]
    alarms = [
        f"{a['id']}: {', '.join(a['types'])}{'' if a['sensitive'] else ' (not sensitive)'}"
        for a in result["alarms"]
    ]
    names = [name for name in ("overall", "group", "tier", "type", "kind", "source") if result.get(name)]
    return "\n".join((
        table(result, names),
        "", f"missed: {len(misses)}", *misses[:50],
        "", f"found in clean texts: {len(alarms)}", *alarms[:50],
    ))  # fmt: skip
