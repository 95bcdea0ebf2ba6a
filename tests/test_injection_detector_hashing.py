"""The shared n-gram featuriser: what counts as the same n-gram, and that shipped weights mean the same everywhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicc_hooks.detect.hashing import bucket_ids, fold, hash_ngrams


def buckets(text: str, **options: tuple[int, ...]) -> set[int]:
    return set(hash_ngrams(text, **options)[0].tolist())


def test_a_word_pair_hashes_alike_wherever_it_stands() -> None:
    assert buckets("hello world", words=(2,)) <= buckets("well, Hello   WORLD again", words=(2,))
    assert buckets("hello world", words=(2,)).isdisjoint(buckets("world hello", words=(2,)))


def test_characters_hash_alike_wherever_they_stand() -> None:
    assert buckets("needle", chars=(4,)) <= buckets("a haystack with a needle inside", chars=(4,))


def test_scripts_without_spaces_have_words_too() -> None:
    assert buckets("指令", words=(2,)) <= buckets("忽略之前的指令", words=(2,))


def test_counts_and_weights_are_stable_between_machines() -> None:
    # These numbers are what shipped weights were fitted to; they must never change.
    indices, counts = hash_ngrams("a b c", words=(1, 2, 3))
    assert indices.tolist() == [10132, 14629, 39070, 44394, 44529, 64398]
    assert counts.tolist() == [1] * 6


def test_repeats_are_counted() -> None:
    _, counts = hash_ngrams("yes yes yes no", words=(1,))
    assert sorted(counts.tolist()) == [1, 3]


def test_buckets_must_be_a_power_of_two() -> None:
    with pytest.raises(ValueError, match="power of two"):
        hash_ngrams("a", words=(1,), buckets=1000)


@given(st.text(max_size=200))
def test_any_text_lands_in_the_table(text: str) -> None:
    ids = bucket_ids(text, chars=(3,), words=(1, 2), buckets=256)
    assert ((ids >= 0) & (ids < 256)).all()
    assert np.array_equal(ids, bucket_ids(fold(text), chars=(3,), words=(1, 2), buckets=256))
