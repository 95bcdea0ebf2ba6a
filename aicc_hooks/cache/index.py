"""Nearest questions within one scope: a numpy matrix in process, bounded, oldest out first.

50,000 entries of 768 dimensions take about 60 MB: one byte a dimension, plus a float32 sketch of 96 dimensions
that finds the candidates. A plain float32 matrix would take 154 MB and read all of it for each lookup.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

SKETCH_DIMS: Final = 96
SHORTLIST: Final = 256  # sketch candidates judged exactly; recall is measured in tests/test_semantic_index.py
_BLOCK: Final = 4096  # rows are allocated in blocks, so that growth never copies the matrix
_SMALL: Final = 2048  # a scope with fewer rows is compared exactly


@dataclass(frozen=True, slots=True)
class Question:
    """An indexed question. `key`: exact key of its answer; `scope`: fingerprint; `expires`: monotonic seconds."""

    key: str
    scope: str
    ask: str
    expires: float


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A question at cosine `similarity`."""

    question: Question
    similarity: float


class VectorIndex(Protocol):
    """The seam for a vector engine: add, forget, nearest within a scope."""

    def add(self, question: Question, vector: Floats) -> None: ...
    def remove(self, key: str) -> bool: ...
    def nearest(
        self, scope: str, vector: Floats, *, floor: float, limit: int, now: float
    ) -> list[Neighbour]: ...
    def clear(self) -> None: ...
    def __len__(self) -> int: ...


class _Block:
    """4,096 rows."""

    def __init__(self, dims: int, sketch: int) -> None:
        self.rows = np.zeros((_BLOCK, dims), np.int8)
        self.scale = np.zeros(_BLOCK, np.float32)
        self.sketch = np.zeros((_BLOCK, sketch), np.float32)
        self.scope = np.full(_BLOCK, -1, np.int32)  # -1: empty


class NumpyIndex:
    """`VectorIndex` over unit vectors of `dims` dimensions. Not thread safe: belongs to the event loop."""

    def __init__(self, dims: int, capacity: int) -> None:
        self.dims, self.capacity = dims, capacity
        self._width = min(dims, SKETCH_DIMS)
        self._project = _projection(dims, self._width)
        self._blocks: list[_Block] = []
        self._questions: list[Question | None] = []
        self._slots: dict[str, int] = {}
        self._scopes: dict[str, int] = {}
        self._counts: dict[int, int] = {}
        self._free: list[int] = []
        self._next_scope = 0
        self._oldest = 0

    def __len__(self) -> int:
        return len(self._slots)

    @property
    def bytes(self) -> int:
        """Matrix plus texts, estimated."""
        per_block = _BLOCK * (self.dims + 4 + 4 * self._width + 4)
        texts = sum(sys.getsizeof(q.ask) + 250 for q in self._questions if q is not None)
        return len(self._blocks) * per_block + texts

    def add(self, question: Question, vector: Floats) -> None:
        """Insert, or replace the entry of the same key. The oldest gives way when the index is full."""
        self.remove(question.key)
        slot = self._slot()
        block, row = self._blocks[slot // _BLOCK], slot % _BLOCK
        scale = float(np.max(np.abs(vector))) / 127 or 1.0
        block.rows[row] = np.rint(vector / scale)
        block.scale[row] = scale
        block.sketch[row] = vector @ self._project
        number = self._scopes.setdefault(question.scope, self._next_scope)
        if number == self._next_scope:
            self._next_scope += 1
        self._counts[number] = self._counts.get(number, 0) + 1
        block.scope[row] = number
        self._questions[slot] = question
        self._slots[question.key] = slot

    def remove(self, key: str) -> bool:
        """True when it was there."""
        slot = self._slots.pop(key, None)
        if slot is None:
            return False
        question = self._questions[slot]
        assert question is not None
        self._questions[slot] = None
        self._blocks[slot // _BLOCK].scope[slot % _BLOCK] = -1
        number = self._scopes[question.scope]
        self._counts[number] -= 1
        if not self._counts[number]:
            del self._counts[number], self._scopes[question.scope]
        self._free.append(slot)
        return True

    def nearest(self, scope: str, vector: Floats, *, floor: float, limit: int, now: float) -> list[Neighbour]:
        """At most `limit` living questions of the scope with cosine >= `floor`, best first."""
        number = self._scopes.get(scope)
        if number is None:
            return []
        slots = self._members(number) if self._counts[number] <= _SMALL else self._shortlist(number, vector)
        found: list[Neighbour] = []
        for slot, similarity in zip(slots.tolist(), self._exact(slots, vector).tolist(), strict=True):
            question = self._questions[slot]
            if question is None or similarity < floor:
                continue
            if question.expires <= now:
                self.remove(question.key)
            else:
                found.append(Neighbour(question, similarity))
        found.sort(key=lambda n: -n.similarity)
        return found[:limit]

    def clear(self) -> None:
        """Forget everything and give the memory back."""
        self.__init__(self.dims, self.capacity)  # type: ignore[misc]

    def _slot(self) -> int:
        if self._free:
            return self._free.pop()
        if len(self._questions) < self.capacity:
            if len(self._questions) % _BLOCK == 0:
                self._blocks.append(_Block(self.dims, self._width))
            self._questions.append(None)
            return len(self._questions) - 1
        # Slots fill in order, so walking round them meets the oldest first (roughly, after removals).
        oldest = self._questions[self._oldest]
        self._oldest = (self._oldest + 1) % self.capacity
        assert oldest is not None  # no slot is free
        self.remove(oldest.key)
        return self._free.pop()

    def _members(self, number: int) -> NDArray[np.intp]:
        return np.concatenate(
            [np.flatnonzero(b.scope == number) + i * _BLOCK for i, b in enumerate(self._blocks)]
        )

    def _shortlist(self, number: int, vector: Floats) -> NDArray[np.intp]:
        sketch = (vector @ self._project).astype(np.float32)
        scores = np.concatenate(
            [np.where(b.scope == number, b.sketch @ sketch, -np.inf) for b in self._blocks]
        )
        return np.argpartition(scores, -SHORTLIST)[-SHORTLIST:]

    def _exact(self, slots: NDArray[np.intp], vector: Floats) -> Floats:
        result = np.zeros(len(slots), np.float32)
        home, rows = slots // _BLOCK, slots % _BLOCK
        for number in np.unique(home):
            here = home == number
            block = self._blocks[number]
            result[here] = (block.rows[rows[here]].astype(np.float32) @ vector) * block.scale[rows[here]]
        return result


def _projection(dims: int, width: int) -> Any:
    """Orthonormal random directions, scaled so that dot products keep their size; the same in every process."""
    if dims <= width:
        return np.eye(dims, dtype=np.float32)
    random = np.random.default_rng(20_240_501)
    basis, _ = np.linalg.qr(random.standard_normal((dims, width)))
    return (basis * np.sqrt(dims / width)).astype(np.float32)
