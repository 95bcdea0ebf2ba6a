"""Find the similarity at which an embedder's proposals meet a false-hit bound, on hand-written pairs.

How similar two questions must be depends on the embedder: 0.80 means little for one and much for another.
"""

from __future__ import annotations

import asyncio
import csv
import json
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Final

import numpy as np

from aicc_hooks.cache.guard import PASS, judge
from aicc_hooks.ops.files import private_dir, write_atomic

Embedder = Callable[[str], Awaitable[Sequence[float]]]
FILE: Final = "calibration.json"
FLOOR: Final = 0.5  # below this no guard should be asked: the texts are about different things
MARGIN: Final = 0.002
MIN_HIT_RATE: Final = 0.10  # a tier that answers less is not worth an embedding per request
PARALLEL: Final = 4
_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Pair:
    """May the answer to `a` serve `b`? `kind` names what differs or how it is reworded."""

    a: str
    b: str
    same: bool
    domain: str
    kind: str


@dataclass(frozen=True, slots=True)
class Calibration:
    """`threshold` is None when the bound cannot be met; then `problem` says why. Rates on the shipped pairs."""

    embedder: str
    dims: int
    threshold: float | None
    bound: float
    hit_rate: float
    false_rate: float
    pairs: int
    problem: str = ""
    at: float = 0.0  # when, wall clock seconds

    @property
    def usable(self) -> bool:
        """True when the semantic tier may be switched on."""
        return self.threshold is not None


def shipped_pairs() -> tuple[Pair, ...]:
    """The pairs of this package (CC0, written by hand and from our own templates)."""
    text = resources.files("aicc_hooks.cache").joinpath("calibration_pairs.tsv").read_text("utf-8")
    rows = csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    return tuple(Pair(r["a"], r["b"], r["same"] == "1", r["domain"], r["kind"]) for r in rows)


async def calibrate(
    embed: Embedder, *, embedder: str, bound: float, pairs: Sequence[Pair] | None = None
) -> Calibration:
    """Embed the pairs and choose the threshold. Raises what the embedder raises, ValueError for bad vectors."""
    chosen = shipped_pairs() if pairs is None else pairs
    if problem := _too_few(chosen, bound):
        return Calibration(embedder, 0, None, bound, 0.0, 0.0, len(chosen), problem)
    texts = sorted({t for p in chosen for t in (p.a, p.b)})
    vectors = await _embed_all(embed, texts)
    place = {text: i for i, text in enumerate(texts)}
    similarity = [float(vectors[place[p.a]] @ vectors[place[p.b]]) for p in chosen]
    return choose(chosen, similarity, embedder=embedder, dims=vectors.shape[1], bound=bound)


def choose(
    pairs: Sequence[Pair],
    similarity: Sequence[float],
    *,
    embedder: str,
    dims: int,
    bound: float,
    guard: Callable[[str, str], str] = judge,
) -> Calibration:
    """The lowest threshold whose false hits among the different pairs stay within the bound."""
    passed = [guard(p.a, p.b) == PASS for p in pairs]
    same = sum(p.same for p in pairs)
    different = len(pairs) - same
    if problem := _too_few(pairs, bound):
        return Calibration(embedder, dims, None, bound, 0.0, 0.0, len(pairs), problem)
    false = sorted(
        (s for p, s, ok in zip(pairs, similarity, passed, strict=True) if ok and not p.same), reverse=True
    )
    allowed = math.floor(bound * different)
    lowest = _floor([s for p, s, ok in zip(pairs, similarity, passed, strict=True) if ok and p.same])
    threshold = lowest if len(false) <= allowed else max(lowest, false[allowed] + MARGIN)
    hits = sum(p.same and ok and s >= threshold for p, s, ok in zip(pairs, similarity, passed, strict=True))
    wrong = sum(s >= threshold for s in false)
    rate = hits / same
    result = Calibration(
        embedder, dims, round(threshold, 4), bound, round(rate, 4), round(wrong / different, 4), len(pairs)
    )
    if rate < MIN_HIT_RATE or threshold > 1:
        problem = f"within a false-hit bound of {bound:.2%} only {rate:.1%} of paraphrases would be answered"
        return Calibration(
            embedder, dims, None, bound, result.hit_rate, result.false_rate, len(pairs), problem
        )
    return result


def _too_few(pairs: Sequence[Pair], bound: float) -> str:
    """With fewer pairs a single false hit would already be over the bound: nothing could be concluded."""
    different = sum(not p.same for p in pairs)
    if different < len(pairs) and bound * different >= 1:
        return ""
    return f"{different} different pairs are too few to check a bound of {bound:.2%}"


def _floor(same: Sequence[float]) -> float:
    """Where 98% of this embedder's own paraphrases lie: lower gains little and asks the guard about strangers."""
    return max(FLOOR, float(np.quantile(same, 0.02))) if same else FLOOR


async def _embed_all(
    embed: Embedder, texts: Sequence[str]
) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    slots = asyncio.Semaphore(PARALLEL)

    async def one(text: str) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        async with slots:
            vector = np.asarray(await embed(text), np.float32)
        length = float(np.linalg.norm(vector))
        if vector.ndim != 1 or not math.isfinite(length) or length == 0:
            raise ValueError("the embedder returned something that is not a vector")
        return vector / np.float32(length)

    vectors = await asyncio.gather(*(one(text) for text in texts))
    if len({len(v) for v in vectors}) != 1:
        raise ValueError("the embedder returned vectors of different lengths")
    return np.stack(vectors)


def save(path: Path, result: Calibration) -> None:
    """Keep a calibration by embedder, in a file only its owner reads. Raises OpsError.

    An earlier one of the same embedder is replaced, also by a failed one.
    """
    known = _read(path)
    known[result.embedder] = asdict(result)
    private_dir(path.parent)
    write_atomic(path, json.dumps({"version": _VERSION, "embedders": known}, indent=2, sort_keys=True) + "\n")


def load(path: Path, embedder: str) -> Calibration | None:
    """The calibration of this embedder; None when there is none, the file is unreadable or of another version."""
    try:
        return Calibration(**_read(path)[embedder])  # type: ignore[arg-type]
    except (KeyError, TypeError):
        return None


def newest(path: Path, group: str) -> Calibration | None:
    """The last calibration of any embedder behind this model group, for when no gateway says which it is."""
    names = [name for name in _read(path) if name.partition("=")[0] == group]
    found = [c for name in names if (c := load(path, name)) is not None]
    return max(found, key=lambda c: c.at, default=None)


def _read(path: Path) -> dict[str, dict[str, object]]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict) or content.get("version") != _VERSION:
        return {}
    found = content.get("embedders")
    return found if isinstance(found, dict) else {}


def tier_threshold(mode: str, calibration: Calibration | None, *, bound: float) -> tuple[float | None, str]:
    """The threshold to run with, or None and the reason why the semantic tier stays off.

    `auto` waits for a calibration; `on` does too, but its absence is a fault to report rather than a choice.
    """
    if mode == "off":
        return None, "off by policy"
    if calibration is None:
        return None, "not calibrated for this embedder: run `aicc cache calibrate`"
    if calibration.threshold is None:
        return None, calibration.problem
    if calibration.bound > bound:
        return (
            None,
            f"calibrated for a false-hit bound of {calibration.bound:.2%}, the policy asks for {bound:.2%}",
        )
    return calibration.threshold, ""
