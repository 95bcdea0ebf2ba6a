"""Requests of /v1/responses that point at earlier turns instead of sending them, and the memory that answers for them.

The Vercel AI SDK's OpenAI provider sends `{"type": "item_reference", "id": …}` for each text of its own from the second
turn on. A model server on this machine keeps no turns, and LiteLLM leaves such items out without a word: the model
would answer a conversation with holes.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from aicc_hooks.errors import Refusal, bad_field

_FIELDS: Final = ("previous_response_id", "conversation", "prompt")
_LIMIT_BYTES: Final = 16 << 20
_ENTRY_BYTES: Final = 400  # what Python needs beside an item
_KEPT_S: Final = 86_400.0
_MAX_ID: Final = 200
_WAY_OUT: Final = (
    "send the whole input instead (Vercel AI SDK: providerOptions: {openai: {store: false}}; openai-python: "
    "input=[*earlier, *response.output, …])"
)


@dataclass(frozen=True, slots=True)
class _Kept:
    item: bytes
    native: bool
    since: float


class AnswerItems:
    """Output items of this process's answers by their id: in memory alone, bounded in size and age."""

    def __init__(self, limit_bytes: int = _LIMIT_BYTES, clock: Callable[[], float] = time.monotonic) -> None:
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._bytes = 0
        self._limit = limit_bytes
        self._clock = clock
        self._lock = threading.Lock()

    def put(self, item: Any, *, native: bool) -> None:
        """Keep a complete item. `native`: the provider that made it keeps it too."""
        ident = item.get("id") if isinstance(item, Mapping) else None
        if not isinstance(ident, str) or not 0 < len(ident) <= _MAX_ID:
            return
        kept = _Kept(orjson.dumps(item), native, self._clock())
        with self._lock:
            self._drop(ident)
            self._kept[ident] = kept
            self._bytes += len(kept.item) + _ENTRY_BYTES
            while self._kept and (self._bytes > self._limit or self._old(next(iter(self._kept.values())))):
                self._drop(next(iter(self._kept)))

    def get(self, ident: Any) -> tuple[dict[str, Any], bool] | None:
        """The item and whether its provider keeps it; None when it is not known (any more)."""
        with self._lock:
            kept = self._kept.get(ident) if isinstance(ident, str) else None
            if kept is None or self._old(kept):
                return None
            return orjson.loads(kept.item), kept.native

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0

    def _old(self, kept: _Kept) -> bool:
        return self._clock() - kept.since > _KEPT_S

    def _drop(self, ident: str) -> None:
        gone = self._kept.pop(ident, None)
        if gone is not None:
            self._bytes -= len(gone.item) + _ENTRY_BYTES


def inlined(body: Mapping[str, Any], items: AnswerItems, *, native: bool = False) -> list[Any] | None:
    """`input` with known references replaced by what they point at; None when nothing is replaced.

    `native`: references its provider knows stay. Thoughts are left out: no model here is given those of earlier turns.
    """
    given = body.get("input")
    if not isinstance(given, list):
        return None
    full: list[Any] = []
    for item in given:
        found = items.get(item["id"]) if _is_reference(item) else None
        if found is None or (native and found[1]):
            full.append(item)
        elif found[0].get("type") != "reasoning":
            full.append(found[0])
    return None if full == given else full


def pointers(body: Mapping[str, Any]) -> list[str]:
    """The fields that point at turns instead of sending them: `previous_response_id`, `input[2].id`."""
    given = body.get("input")
    items = enumerate(given if isinstance(given, list) else ())
    return [name for name in _FIELDS if body.get(name)] + [
        f"input[{number}].id" for number, item in items if _is_reference(item)
    ]


def not_here(param: str) -> Refusal:
    """The 400 for what `pointers` found where no provider keeps turns."""
    why = (
        "no answer's item of that id is in memory" if param.startswith("input") else "no turns are kept here"
    )
    return bad_field(param, f"{why}; {_WAY_OUT}.")


def _is_reference(item: Any) -> bool:
    """`type` may be left out beside an id that stands alone."""
    if not isinstance(item, dict) or not isinstance(item.get("id"), str):
        return False
    return item.get("type") == "item_reference" or (
        item.get("type") is None and item.keys() <= {"id", "type"}
    )
