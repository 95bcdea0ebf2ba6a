"""Measure the detector on labelled rows: what `aicc eval complexity FILE` prints and the docs page quotes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aicc_hooks.detect.complexity.detector import ComplexityDetector
from aicc_hooks.detect.labelled import LINE, named, read_labelled, text_problem
from aicc_hooks.verdict import Role, Segment, Tier

TIERS: Final[tuple[Tier, ...]] = ("simple", "medium", "complex")
Classify = Callable[[Mapping[str, Any]], Tier]
_ROLES: Final = {
    "user": Role.USER,
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "assistant": Role.ASSISTANT,
    "tool": Role.TOOL,
    "function": Role.TOOL,
}


@dataclass
class Tally:
    """Counts over some rows. Rates are in [0, 1], or None where there is nothing to count."""

    rows: int = 0
    acceptable: int = 0
    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)  # (labelled, given)
    simple_only: int = 0
    simple_only_small: int = 0

    def add(self, tier: str, accepts: Sequence[str], given: str) -> None:
        """Count one row."""
        self.rows += 1
        self.acceptable += given in accepts
        self.confusion[tier, given] += 1
        if tuple(accepts) == ("simple",):
            self.simple_only += 1
            self.simple_only_small += given == "simple"

    def of(self, tier: str) -> int:
        """Rows labelled `tier`."""
        return sum(count for (labelled, _), count in self.confusion.items() if labelled == tier)

    @property
    def acceptable_rate(self) -> float | None:
        """Share of rows whose given tier is one of those the label accepts."""
        return self.acceptable / self.rows if self.rows else None

    @property
    def complex_on_small(self) -> float | None:
        """Share of complex rows sent to the small model."""
        total = self.of("complex")
        return self.confusion["complex", "simple"] / total if total else None

    @property
    def simple_on_small(self) -> float | None:
        """Share of simple rows served by the small model."""
        total = self.of("simple")
        return self.confusion["simple", "simple"] / total if total else None


@dataclass
class Report:
    """One tally for all rows and one a source; `misses` are (line number, source, labelled, given)."""

    total: Tally = field(default_factory=Tally)
    sources: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    misses: list[tuple[int, str, str, str]] = field(default_factory=list)

    def text(self) -> str:
        """Both tables and what was missed (line, source, labelled, given): what the command line prints."""
        missed = [f"line {n}: {source}: {tier}, given {given}" for n, source, tier, given in self.misses]
        return "\n".join(
            (self.table(), "", self.confusion_table(), "", f"missed: {len(missed)}", *missed[:50])
        )

    def table(self) -> str:
        """The report as a Markdown table: one line a source, then all."""
        lines = [
            "| source | rows | acceptable | complex on small | simple on small |",
            "|---|---:|---:|---:|---:|",
        ]
        for name, tally in (*sorted(self.sources.items()), ("all", self.total)):
            lines.append(
                f"| {name} | {tally.rows} | {_percent(tally.acceptable_rate)} "
                f"| {_percent(tally.complex_on_small)} | {_percent(tally.simple_on_small)} |"
            )
        return "\n".join(lines)

    def confusion_table(self) -> str:
        """Labelled tier against given tier, as a Markdown table."""
        lines = [
            "| labelled | " + " | ".join(f"given {tier}" for tier in TIERS) + " |",
            "|---|---:|---:|---:|",
        ]
        for labelled in TIERS:
            cells = " | ".join(str(self.total.confusion[labelled, given]) for given in TIERS)
            lines.append(f"| {labelled} | {cells} |")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """The same figures for `--json`."""

        def figures(tally: Tally) -> dict[str, Any]:
            return {
                "rows": tally.rows,
                "acceptable": tally.acceptable_rate,
                "complex_on_small": tally.complex_on_small,
                "simple_on_small": tally.simple_on_small,
            }

        return {
            **figures(self.total),
            "confusion": {
                f"{labelled}->{given}": n for (labelled, given), n in sorted(self.total.confusion.items())
            },
            "sources": {name: figures(tally) for name, tally in sorted(self.sources.items())},
            "misses": [
                {"line": line, "source": source, "labelled": labelled, "given": given}
                for line, source, labelled, given in self.misses
            ],
        }


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}%"


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Rows of a JSONL file (`.gz` too). Raises DetectorError naming the line and field that is not as expected."""
    return read_labelled(path, _problem)


def _problem(row: dict[str, Any]) -> str:
    tiers = ", ".join(TIERS)
    if row.get("tier") not in TIERS:
        return f"tier: missing or unknown; allowed: {tiers}"
    accepts = row.get("acceptable", [])
    if not isinstance(accepts, list) or not all(tier in TIERS for tier in accepts):
        return f"acceptable: found {named(accepts)}; allowed: a list of {tiers}"
    if "tools" in row and not isinstance(row["tools"], list | None):
        return f"tools: found {named(row['tools'])}; allowed: a list"
    if "messages" not in row:
        if "text" not in row:
            return "text: missing; send `text` (a string) or `messages` (a list)"
        return text_problem(row)
    messages = row["messages"]
    if not isinstance(messages, list):
        return f"messages: found {named(messages)}; allowed: a list of objects with role and content"
    for index, message in enumerate(messages):
        if not isinstance(message, dict):
            return f"messages[{index}]: found {named(message)}; allowed: an object with role and content"
        if not isinstance(message.get("content"), str | list | None):
            return f"messages[{index}].content: found {named(message['content'])}; allowed: a string or a list of parts"
    return ""


def segments_of(row: Mapping[str, Any]) -> list[Segment]:
    """Segments of a labelled row: its `messages`, or its `text` as one user turn."""
    if isinstance(row.get("text"), str):
        return [Segment(row["text"], Role.USER)]
    out: list[Segment] = []
    for turn, message in enumerate(row["messages"]):
        role = _ROLES.get(str(message.get("role")), Role.USER)
        content = message.get("content")
        parts = (
            [content]
            if isinstance(content, str)
            else [p.get("text") for p in content or () if isinstance(p, dict)]
        )
        out.extend(Segment(part, role, turn) for part in parts if isinstance(part, str))
    return out


def evaluate_rows(rows: Iterable[Mapping[str, Any]], detector: ComplexityDetector) -> Report:
    """Report on labelled rows."""

    def classify(row: Mapping[str, Any]) -> Tier:
        return detector.inspect(segments_of(row), tools=len(row.get("tools") or ())).tier

    return evaluate(rows, classify)


def evaluate(rows: Iterable[Mapping[str, Any]], classify: Classify) -> Report:
    """Tally `classify(row)` against each row's `tier` and `acceptable` (default: just the tier)."""
    report = Report()
    for number, row in enumerate(rows, 1):
        given = classify(row)
        accepts = row.get("acceptable") or [row["tier"]]
        source = str(row.get("source", "rows"))
        report.total.add(row["tier"], accepts, given)
        report.sources[source].add(row["tier"], accepts, given)
        if given not in accepts:
            report.misses.append((row.get(LINE, number), source, row["tier"], given))
    return report
