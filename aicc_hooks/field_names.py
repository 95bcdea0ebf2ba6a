"""Naming what a file may hold where something else was found."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel

_SHOWN = 60


def closest(found: str, allowed: Collection[str]) -> str:
    """` (did you mean 'name'?)`, or "" when nothing is near."""
    near = get_close_matches(found, sorted(allowed), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def shown(value: object) -> str:
    """A found value for a message, as YAML writes it; of a list or mapping only that it is one."""
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    if isinstance(value, (str, int, float)):
        text = repr(value)
        return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    return {"list": "a list", "dict": "a mapping"}.get(type(value).__name__, f"a {type(value).__name__}")


def unknown_key(root: type[BaseModel], location: Sequence[int | str]) -> str:
    """What to say of a key that `root` does not have at this place."""
    allowed = _siblings(root, location)
    return f"unknown key{closest(str(location[-1]), allowed)}; allowed here: {', '.join(allowed)}"


def _siblings(root: Any, location: Sequence[int | str]) -> list[str]:
    model = root
    for part in location[:-1]:
        field = getattr(model, "model_fields", {}).get(part)
        if field is None:
            continue
        # An index or a name of one's own follows a list or a mapping: look at what it holds.
        inner = [field.annotation, *get_args(field.annotation)]
        model = next((t for t in inner if isinstance(t, type) and issubclass(t, BaseModel)), None)
    return sorted(getattr(model, "model_fields", {}))
