"""Tokens and synonyms."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import Final

from aicc_hooks.cache.guard.stems import stem

TOKEN: Final = re.compile(
    r"[A-Za-z\u00c0-\u024f0-9]+(?:[.'_/-][A-Za-z\u00c0-\u024f0-9]+)*(?:\+\+|#)?|[%$€£¥°]"
)


@cache
def _tables() -> tuple[dict[str, str], dict[tuple[str, ...], str]]:
    """Group by stem, and group by phrase (stems)."""
    single: dict[str, str] = {}
    phrases: dict[tuple[str, ...], str] = {}
    text = resources.files("aicc_hooks.cache.guard").joinpath("synonyms.txt").read_text("utf-8")
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        forms = [form.strip() for form in line.split("|")]
        group = "~" + stem(forms[0].replace(" ", "-"))
        for form in forms:
            parts = tuple(stem(w) for w in form.split())
            if len(parts) == 1:
                single.setdefault(parts[0], group)
            else:
                phrases.setdefault(parts, group)
    return single, phrases


@cache
def group(stemmed: str) -> str:
    """The synonym group of a stem, or the stem itself."""
    return _tables()[0].get(stemmed, stemmed)


LONGEST_PHRASE: Final = 5


def phrase(stems: tuple[str, ...]) -> str | None:
    """The synonym group of a phrase."""
    return _tables()[1].get(stems)
