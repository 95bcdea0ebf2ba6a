"""Records as JSON lines, fit for evaluation and prompt-optimisation data sets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from aicc_hooks.record.model import Record
from aicc_hooks.record.reader import Filters, SpoolReader


def item_of(record: Record, feedback: dict[str, Any] | None = None) -> dict[str, Any]:
    """One item: `input` and `expected_output` as data-set tools name them, the rest under `metadata`."""
    data = record.to_dict()
    metadata = {
        k: v
        for k, v in data.items()
        if k not in ("id", "input", "output", "version") and v not in (None, "", [], {})
    }
    item: dict[str, Any] = {
        "id": record.id,
        "input": data["input"],
        "expected_output": data["output"],
        "metadata": metadata,
    }
    if feedback is not None:
        item["feedback"] = {"score": feedback["score"], "comment": feedback["comment"]}
    return item


def export_lines(
    reader: SpoolReader, *, filters: Filters | None = None, limit: int | None = None
) -> Iterator[str]:
    """Lines oldest first, each a JSON object without its newline. Raises SpoolError."""
    notes = {
        row[0]: {"score": row[1], "comment": row[2]}
        for row in reader.query("SELECT id, score, comment FROM feedback")
    }
    for count, (_, record) in enumerate(reader.records(filters=filters), start=1):
        yield json.dumps(item_of(record, notes.get(record.id)), ensure_ascii=True, separators=(",", ":"))
        if limit is not None and count >= limit:
            return
