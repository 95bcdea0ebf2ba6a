"""Rows the complexity weights are fitted on, and the groups that are left out together when measuring."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from aicc_hooks.detect.complexity.detector import user_turns
from aicc_hooks.detect.complexity.evaluate import read_rows, segments_of
from aicc_hooks.detect.complexity.followup import role_of
from aicc_hooks.detect.complexity.split import split_ask

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "complexity.jsonl.gz"
Row = dict[str, Any]


def group_of(source: str) -> str:
    """Rows of one group share an author, a template or a benchmark: never train on one and test on another."""
    if source.startswith("own/non-english"):
        return "own/non-english"
    if source.startswith(("own", "written", "alpaca_eval", "SQuAD")):
        return source
    return source.split("/")[0]


def load(path: Path = DATA) -> list[Row]:
    """All rows, in file order."""
    return list(read_rows(path))


def trainable(rows: Iterable[Row]) -> list[Row]:
    """Rows that may shape weights and whose last turn stands on its own (follow-ups are the rules' work)."""
    out = []
    for row in rows:
        if row["use"] != "train":
            continue
        turns = user_turns(segments_of(row))
        if len(turns) > 1 and role_of(split_ask(turns[-1]).ask) != "new":
            continue
        out.append(row)
    return out


def last_ask(row: Row) -> str:
    """Text of the last user turn."""
    turns = user_turns(segments_of(row))
    return turns[-1] if turns else ""


def without(rows: list[Row], held_out: list[Row], group: str) -> list[Row]:
    """Training rows for a fold: neither the group itself nor any row that repeats one of its texts."""
    texts = {turn for row in held_out for turn in user_turns(segments_of(row))}
    own = group.split("/")[0] == "own"
    return [
        row
        for row in rows
        if group_of(row["source"]) != group
        and not (own and group_of(row["source"]).split("/")[0] == "own")
        and not any(turn in texts for turn in user_turns(segments_of(row)))
    ]
