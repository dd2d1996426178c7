"""The most frequent values: bounded, steady, and right about what is frequent."""

from __future__ import annotations

import random
from collections import Counter

from tamis.domain.counts.top import TopValues


def test_a_list_that_is_not_full_takes_everything() -> None:
    top = TopValues(3)
    assert [top.saw(value) for value in "abcabc"] == [None] * 6
    assert all(value in top for value in "abc")
    assert top.left == 0


def test_a_newcomer_takes_a_place_once_it_is_twice_as_frequent() -> None:
    top = TopValues(2)
    top.saw("a", 10)
    top.saw("b", 4)
    assert top.saw("c", 8) is None
    assert "c" not in top
    assert top.saw("c") == "b"
    assert "c" in top
    assert "b" not in top
    assert top.left == 8


def test_the_frequent_are_found_among_many_and_memory_is_bounded() -> None:
    rng, top = random.Random(5), TopValues(8)
    weights = [2_000 // (rank + 1) for rank in range(4)] + [1] * 4_000
    values = [f"v{number}" for number in range(len(weights))]
    seen = Counter(rng.choices(values, weights, k=60_000))
    for value in rng.sample(list(seen.elements()), seen.total()):
        top.saw(value)
    assert all(value in top for value, _ in seen.most_common(4))
    assert len([value for value in seen if value in top]) == 8
    assert len(top._waiting) <= 4 * 8
