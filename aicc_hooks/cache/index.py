"""Nearest questions within one scope: a numpy matrix in process, bounded, oldest out first.

50,000 entries of 768 dimensions take about 45 MB beside their texts: one byte a dimension, plus a sketch of 512 bits (the signs of random
projections) that finds the candidates: two vectors differ in as many of them as the angle between them is large. A
plain float32 matrix would take 154 MB and read all of it for each lookup; the sketches are 3 MB.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Words = NDArray[np.uint64]

SKETCH_WORDS: Final = 8  # of 64 bits
SHORTLIST: Final = 256  # sketch candidates judged exactly; recall is measured in tests/test_semantic_index.py
_BLOCK: Final = 4096  # rows are allocated in blocks, so that growth never copies the matrix
_NEVER: Final = np.uint16(64 * SKETCH_WORDS + 1)  # bits by which an entry of another scope differs
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

    def __init__(self, dims: int) -> None:
        self.rows = np.zeros((_BLOCK, dims), np.int8)
        self.scale = np.zeros(_BLOCK, np.float32)
        self.sketch = np.zeros((SKETCH_WORDS, _BLOCK), np.uint64)
        self.scope = np.full(_BLOCK, -1, np.int32)  # -1: empty


class NumpyIndex:
    """`VectorIndex` over unit vectors of `dims` dimensions. Not thread safe: belongs to the event loop."""

    def __init__(self, dims: int, capacity: int) -> None:
        self.dims, self.capacity = dims, capacity
        self._project = _projection(dims)
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
        per_block = _BLOCK * (self.dims + 4 + 8 * SKETCH_WORDS + 4)
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
        block.sketch[:, row] = self._bits(vector)
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
                self._blocks.append(_Block(self.dims))
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

    def _bits(self, vector: Floats) -> Words:
        return np.packbits(vector @ self._project > 0).view(np.uint64)

    def _shortlist(self, number: int, vector: Floats) -> NDArray[np.intp]:
        sketch = self._bits(vector)[:, None]
        differ = np.full(len(self._blocks) * _BLOCK, _NEVER, np.uint16)
        for i, block in enumerate(self._blocks):
            part = differ[i * _BLOCK : (i + 1) * _BLOCK]
            np.add.reduce(_ones(block.sketch ^ sketch), axis=0, dtype=np.uint16, out=part)
            part[block.scope != number] = _NEVER
        # The distance within which there are enough: counting distances takes a fifth of the time of np.argpartition.
        within = np.searchsorted(np.cumsum(np.bincount(differ)), SHORTLIST)
        return np.flatnonzero(differ <= within)

    def _exact(self, slots: NDArray[np.intp], vector: Floats) -> Floats:
        """Cosines of ascending slots."""
        rows = np.empty((len(slots), self.dims), np.float32)
        scale = np.empty(len(slots), np.float32)
        edges = np.searchsorted(slots, np.arange(len(self._blocks) + 1) * _BLOCK)
        for i, block in enumerate(self._blocks):
            here = slice(edges[i], edges[i + 1])
            inside = slots[here] - i * _BLOCK
            rows[here] = block.rows[inside]
            scale[here] = block.scale[inside]
        return np.asarray((rows @ vector) * scale, np.float32)


def _ones(words: Words) -> NDArray[np.uint8]:
    """How many bits of each word are set."""
    if hasattr(np, "bitwise_count"):
        return np.asarray(np.bitwise_count(words))
    # numpy 1.26: byte by byte.
    return np.asarray(_ONES[words.view(np.uint8)].reshape(*words.shape, 8).sum(axis=-1, dtype=np.uint8))


_ONES: Final = np.array([n.bit_count() for n in range(256)], np.uint8)


def _projection(dims: int) -> Floats:
    """Random directions; the same in every process."""
    random = np.random.default_rng(20_240_501)
    return random.standard_normal((dims, 64 * SKETCH_WORDS)).astype(np.float32)
