"""Hand-written requests that widen the training rows: languages, pasted payloads, small talk. Written for this project."""

from __future__ import annotations

from typing import Any


def synthetic() -> list[dict[str, Any]]:
    """Rows in the shape of the labelled data."""
    return []
