"""Calibration: the threshold belongs to the embedder, and a bound that cannot be met keeps the tier off."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from aicc_hooks.cache.calibrate import (
    FLOOR,
    Calibration,
    Pair,
    calibrate,
    choose,
    load,
    save,
    shipped_pairs,
    tier_threshold,
)


async def bag_of_words(text: str) -> list[float]:
    vector = np.zeros(128)
    for word in text.lower().replace("?", "").split():
        vector[sum(map(ord, word)) % 128] += 1
    return list(vector)


async def constant(text: str) -> list[float]:
    return [1.0, 0.0]


def pairs(same: int, different: int) -> list[Pair]:
    return [Pair(f"a{n}", f"b{n}", n < same, "d", "k") for n in range(same + different)]


def always(a: str, b: str) -> str:
    return "pass"


def test_the_shipped_pairs_are_enough_diverse_and_have_hard_negatives() -> None:
    found = shipped_pairs()
    assert len(found) >= 600
    assert len({(p.a, p.b) for p in found}) == len(found)
    assert len({p.domain for p in found}) >= 10
    kinds = Counter(p.kind for p in found if not p.same)
    for kind in (
        "number",
        "entity",
        "negation",
        "antonym",
        "direction",
        "order",
        "role",
        "unit",
        "quantifier",
    ):
        assert kinds[kind] >= 4, kind
    assert sum(not p.same for p in found) >= 400
    assert sum(p.same for p in found) >= 200


def test_an_ordinary_embedder_is_calibrated_within_the_bound() -> None:
    result = asyncio.run(calibrate(bag_of_words, embedder="bag", bound=0.005))
    assert result.usable
    assert result.threshold is not None
    assert FLOOR <= result.threshold < 1
    assert result.false_rate <= 0.005
    assert result.hit_rate >= 0.5
    assert (result.dims, result.pairs) == (128, len(shipped_pairs()))


def test_the_threshold_is_the_lowest_that_keeps_the_bound() -> None:
    rows = pairs(100, 400)
    similarity = [0.9] * 50 + [0.7] * 50 + [0.8] * 4 + [0.1] * 396
    loose = choose(rows, similarity, embedder="e", dims=2, bound=0.01, guard=always)
    assert loose.threshold == pytest.approx(0.7)
    assert loose.false_rate == 0.01
    tight = choose(rows, similarity, embedder="e", dims=2, bound=0.005, guard=always)
    assert tight.threshold is not None
    assert 0.8 < tight.threshold < 0.81
    assert (tight.hit_rate, tight.false_rate) == (0.5, 0.0)


def test_an_embedder_that_sees_no_difference_is_refused() -> None:
    rows = pairs(100, 400)
    result = choose(rows, [0.99] * 500, embedder="e", dims=2, bound=0.005, guard=always)
    assert not result.usable
    assert "0.50%" in result.problem
    too_few = choose(pairs(10, 10), [0.9] * 20, embedder="e", dims=2, bound=0.005, guard=always)
    assert not too_few.usable
    assert "too few" in too_few.problem


@pytest.mark.parametrize("vector", [[], [0.0, 0.0], [float("nan"), 1.0]])
def test_vectors_that_are_none_stop_the_calibration(vector: list[float]) -> None:
    async def broken(text: str) -> list[float]:
        return vector

    with pytest.raises(ValueError, match="not a vector"):
        asyncio.run(calibrate(broken, embedder="x", bound=0.005))


def test_results_are_kept_by_embedder(tmp_path: Path) -> None:
    file = tmp_path / "new" / "calibration.json"
    one = Calibration("one", 2, 0.8, 0.005, 0.7, 0.0, 600)
    two = Calibration("two", 2, None, 0.005, 0.0, 0.0, 600, "cannot")
    save(file, one)
    save(file, two)
    assert load(file, "one") == one
    assert load(file, "two") == two
    assert load(file, "three") is None
    file.write_text("{broken", "utf-8")
    assert load(file, "one") is None


def test_the_tier_runs_only_calibrated_and_within_the_policys_bound() -> None:
    good = Calibration("e", 2, 0.8, 0.005, 0.7, 0.0, 600)
    assert tier_threshold("auto", good, bound=0.005) == (0.8, "")
    assert tier_threshold("off", good, bound=0.005)[0] is None
    assert "aicc cache calibrate" in tier_threshold("auto", None, bound=0.005)[1]
    assert "0.10%" in tier_threshold("on", good, bound=0.001)[1]
    assert tier_threshold("on", Calibration("e", 2, None, 0.005, 0, 0, 600, "cannot"), bound=0.005) == (
        None,
        "cannot",
    )
