"""The recorded requests of an experiment, and which of them may be compared: one period, one content a variant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from aicc_hooks.experiments.schema import ExperimentConfig, Metric
from aicc_hooks.experiments.units import UNNAMED
from aicc_hooks.record.reader import SpoolReader


@dataclass(frozen=True, slots=True)
class Row:
    """One recorded request of an experiment."""

    variant: str
    unit: str  # kind and hash of what was dealt; UNNAMED where the request named nobody
    failed: bool
    latency_ms: float | None
    tokens: int
    cached: bool
    score: float | None
    prompt: str = ""  # name@version of a managed prompt
    content: str = ""  # ExperimentConfig.content of then; "" in records from before it was kept
    at: float = 0.0  # when it came in, epoch seconds
    thumbs: bool = False  # the score was given as thumbs

    @property
    def named(self) -> bool:
        """It can be told from others' requests."""
        return self.unit != UNNAMED


def value_of(row: Row, metric: Metric) -> float | None:
    """What a request says of a metric; None where it says nothing."""
    if metric == "score":
        return row.score
    if metric == "error_rate":
        return 1.0 if row.failed else 0.0
    if row.failed or (metric == "latency_ms" and row.cached):
        return None
    return row.latency_ms if metric == "latency_ms" else float(row.tokens)


def load_rows(reader: SpoolReader, *, since: float | None = None) -> dict[str, list[Row]]:
    """Recorded requests by experiment name. Raises SpoolError."""
    found: dict[str, list[Row]] = defaultdict(list)
    for label, unit, user, session, status, error, total_ms, tokens, cache, score, kind, prompt, version, content, start in reader.query(
        "SELECT variant, unit, user, session, status, error, total_ms, completion_tokens, cache, score, kind, prompt_name, "
        "prompt_version, variant_content, start FROM records LEFT JOIN feedback USING (id) WHERE variant != '' AND end >= ? ORDER BY seq",
        [since or 0.0],
    ):  # fmt: skip
        experiment, _, variant = str(label).partition(":")
        if variant and status != 499:  # the client went away: says nothing about the variant
            # Records from before units were kept were all dealt by user, then session.
            unit = unit or (f"user {user}" if user else f"session {session}" if session else UNNAMED)
            found[experiment].append(
                Row(
                    variant, unit, bool(error) or status >= 400, total_ms, int(tokens), cache in ("exact", "semantic"), score,
                    f"{prompt}@{version or 'fallback'}" if prompt else "", content, start, kind == "thumbs",
                )
            )  # fmt: skip
    return dict(found)


def comparable(config: ExperimentConfig, rows: Iterable[Row]) -> tuple[dict[str, list[Row]], tuple[str, ...]]:
    """Rows by variant of the file, of the present run only; and sentences on what was left out.

    When one variant changed, what the others did before goes too: else their good days would be compared with its bad ones.
    """
    now = {variant.name: config.content(variant) for variant in config.variants}
    inside, notes = [], []
    outside = strangers = 0
    changed: dict[str, int] = defaultdict(int)
    begin = float("-inf")
    for row in rows:
        if not config.spans(row.at):
            outside += 1
        elif row.variant not in now:
            strangers += 1
        else:
            inside.append(row)
            # Before contents were kept every experiment dealt by user.
            if row.content != now[row.variant] if row.content else config.unit != "user":
                changed[row.variant] += 1
                begin = max(begin, row.at)
    kept: dict[str, list[Row]] = {name: [] for name in now}
    for row in inside:
        if row.at > begin:
            kept[row.variant].append(row)
    if outside:
        notes.append(f"{outside:,} requests from before the start or after the stop are left out")
    if strangers:
        notes.append(f"{strangers:,} requests had a variant that the file no longer has")
    if changed:
        names = ", ".join(f"{name}: {count:,} requests" for name, count in changed.items())
        notes.append(
            f"the file changed during the run ({names} under another text, model, parameters or unit): only what came after is here"
        )
    told = [row for found in kept.values() for row in found]
    unknown = sum(not row.content for row in told)
    if 0 < unknown < len(told):
        notes.append(
            f"{unknown:,} requests are from before the record kept what a variant did: it may have been another text"
        )
    return kept, tuple(notes)
