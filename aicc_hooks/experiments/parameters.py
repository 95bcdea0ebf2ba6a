"""Parameters a variant may set, with the values models take: a value none takes would fail every request of the variant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aicc_hooks.field_names import shown

_WHOLE: Final = {  # name → smallest and largest
    "max_tokens": (1, 1_000_000), "seed": (-(2**63), 2**63 - 1), "top_k": (0, 1_000_000), "repeat_last_n": (-1, 1_000_000), "mirostat": (0, 2),
}  # fmt: skip
_NUMBER: Final = {
    "temperature": (0, 2), "top_p": (0, 1), "min_p": (0, 1), "presence_penalty": (-2, 2), "frequency_penalty": (-2, 2),
    "repeat_penalty": (0, 10), "mirostat_eta": (0, 10), "mirostat_tau": (0, 100),
}  # fmt: skip
_WORD: Final = {
    "reasoning_effort": ("none", "minimal", "low", "medium", "high", "xhigh"),
    "verbosity": ("low", "medium", "high"),
    "think": (True, False, "low", "medium", "high"),
}
_STOP: Final = 16  # words; more than any API takes
# The conversation, the tools and what steers the gateway are not among them.
PARAMETERS: Final = frozenset((*_WHOLE, *_NUMBER, *_WORD, "stop"))


def check_parameters(parameters: Mapping[str, Any]) -> None:
    """Raises ValueError naming the parameter and what is allowed."""
    unknown = sorted(set(parameters) - PARAMETERS)
    if unknown:
        raise ValueError(
            f"parameters: unknown: {', '.join(unknown)}; allowed: {', '.join(sorted(PARAMETERS))}"
        )
    for name, value in parameters.items():
        if wanted := _wrong(name, value):
            raise ValueError(f"parameters: {name}: found {shown(value)}; allowed: {wanted}")


def _wrong(name: str, value: Any) -> str:
    """What is allowed in place of the value, or "" when it is right."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if name in _WHOLE:
        low, high = _WHOLE[name]
        right = number and isinstance(value, int) and low <= value <= high
        return "" if right else f"a whole number from {low} to {high}"
    if name in _NUMBER:
        low, high = _NUMBER[name]
        return "" if number and low <= value <= high else f"a number from {low} to {high}"
    if name in _WORD:
        right = any(value is word or (isinstance(value, str) and value == word) for word in _WORD[name])
        return "" if right else ", ".join(shown(word) for word in _WORD[name])
    words = [value] if isinstance(value, str) else value
    right = isinstance(words, list) and 0 < len(words) <= _STOP
    right = right and all(isinstance(word, str) and word for word in words)
    return "" if right else f"a text or a list of up to {_STOP} texts"
