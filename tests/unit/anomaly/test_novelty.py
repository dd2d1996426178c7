"""Novelty: a first outlier is heard, its like is not; state is exact, bounded, and refuses other bytes."""

from __future__ import annotations

import math
import random

import pytest

from tamis.anomaly.novelty import NoveltyEnsemble
from tamis.anomaly.seen_values import MOST_CELLS, SeenValues


def _wave(i: int, rng: random.Random) -> float:
    return 50 + 20 * math.sin(i / 288 * 2 * math.pi) + rng.gauss(0, 1)


def test_the_first_outlier_is_heard_and_its_like_is_not() -> None:
    detector, rng, scores = NoveltyEnsemble(), random.Random(1), {}
    for i in range(4_000):
        value = 150.0 if i in {2_000, 3_000} else _wave(i, rng)
        scores[i] = detector.observe(300 * i, value)
    assert scores[2_000] > 0.5
    assert scores[3_000] < scores[2_000]
    assert sum(score >= 0.5 for score in scores.values() if score) <= 15


def test_after_an_alarm_only_a_larger_one_is_heard() -> None:
    detector, rng = NoveltyEnsemble(), random.Random(2)
    for i in range(1_000):
        detector.observe(300 * i, _wave(i, rng))
    found = [detector.observe(300 * (1_000 + i), value) for i, value in enumerate([150.0, 140.0, 141.0, 90_000.0])]
    assert [score >= 0.5 for score in found] == [True, False, False, True]


def test_state_round_trip_is_exact_and_small() -> None:
    detector, rng = NoveltyEnsemble(), random.Random(3)
    for i in range(25_000):
        detector.observe(300 * i, rng.gauss(0, 1) * 10 ** rng.randrange(4))
    encoded = detector.encode()
    other = NoveltyEnsemble()
    other.restore(encoded)
    assert other.encode() == encoded
    assert len(encoded) < 100_000
    tail = [rng.gauss(0, 1) for _ in range(300)]
    start = 300 * 25_000
    assert [detector.observe(start + 300 * i, v) for i, v in enumerate(tail)] == [
        other.observe(start + 300 * i, v) for i, v in enumerate(tail)
    ]


def test_other_bytes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"(?i)version|expected|truncated"):
        NoveltyEnsemble().restore(b"\x01")


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_cells_are_bounded_and_answer_like_all_values(scale: float) -> None:
    seen, rng, past = SeenValues(), random.Random(4), list[float]()
    for _ in range(6_000):
        value = rng.gauss(0, scale)
        if len(past) > 1_000:
            spread = max(past) - min(past)
            exact = math.sqrt(min(abs(value - other) for other in [*past[-200:], min(past), max(past)]) / spread)
            assert seen.measure(value)[0] <= exact + 0.08
        seen.learn(value)
        past.append(value)
    assert len(seen.encode().values) // 8 <= MOST_CELLS


def test_a_constant_is_no_novelty_and_what_follows_is() -> None:
    seen = SeenValues()
    for _ in range(100):
        seen.learn(7.0)
    assert seen.measure(7.0) == (0.0, 0.0)
    assert min(seen.measure(8.0)) > 1.0
