"""Which releases of LiteLLM this was tried with. The self-test says whether another one still has what we stand on."""

from __future__ import annotations

from typing import Final

MALWARE: Final = frozenset(("1.82.7", "1.82.8"))
# One of each minor release; docs/litellm.md says with which tests.
TRIED: Final = ("1.106.2", "1.108.7", "1.110.2")


def untried(found: str) -> str:
    """What to say of an installed release whose minor was not tried, or ""."""
    if _minor(found) in {_minor(release) for release in TRIED}:
        return ""
    return f"LiteLLM {found} was not tried with this release of aicc-hooks; tried: {', '.join(TRIED)}"


def _minor(release: str) -> tuple[str, ...]:
    return tuple(release.split(".")[:2])
