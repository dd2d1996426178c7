"""Conversions against their upstream step: missing and doubled ones are found, busy hours and delays are not."""

from __future__ import annotations

import random

import pytest

from tamis.anomaly.ratio_detector import RatioDetector


def _series(minutes: int, seed: int, rate: dict[int, float]) -> list[tuple[int, int, int]]:
    """Upstream with a sharp opening hour and a burst at midnight; conversions five minutes later."""
    rng, upstream, rows = random.Random(seed), list[int](), []
    for minute in range(minutes):
        open_ = 8 <= minute % 1440 / 60 < 20
        mean = 900 if minute % 1440 < 2 else 200 if open_ else 20
        upstream.append(max(0, round(rng.gauss(mean, mean**0.5))))
        people = 20 if minute % 1440 < 7 else upstream[-6] if minute > 5 else 0
        wanted = 0.2 * people * rate.get(minute, 1.0)
        rows.append((minute, max(0, round(rng.gauss(wanted, wanted**0.5))), upstream[-1]))
    return rows


def _alarms(rate: dict[int, float], minutes: int = 12 * 1440, seed: int = 1) -> list[int]:
    detector = RatioDetector()
    return [m for m, y, u in _series(minutes, seed, rate) if detector.observe(m, y, u).score >= 0.5]


def test_opening_hours_bursts_and_delays_are_no_surprise() -> None:
    assert _alarms({}) == []


@pytest.mark.parametrize(("factor", "within"), [(0.0, 5), (2.0, 10)])
def test_missing_and_doubled_conversions_are_found_each_time(factor: float, within: int) -> None:
    for day in (8, 9, 10):
        start = day * 1440 + 720
        alarms = _alarms({m: factor for d in range(8, day + 1) for m in range(d * 1440 + 720, d * 1440 + 760)})
        assert start <= next(m for m in alarms if m >= start) <= start + within


def test_a_lasting_new_rate_becomes_normal() -> None:
    start = 9 * 1440 + 600
    alarms = _alarms(dict.fromkeys(range(start, 13 * 1440), 0.6), 13 * 1440)
    assert start < alarms[0] < start + 60
    assert alarms[-1] < start + 1440


def test_state_round_trip_is_exact_and_small() -> None:
    detector, other = RatioDetector(), RatioDetector()
    rows = _series(3 * 1440, 2, {})
    for row in rows[:-200]:
        detector.observe(*row)
    encoded = detector.encode()
    other.restore(encoded)
    assert other.encode() == encoded
    assert len(encoded) < 40_000
    assert [detector.observe(*row) for row in rows[-200:]] == [other.observe(*row) for row in rows[-200:]]
    with pytest.raises(ValueError, match=r"(?i)version|expected|truncated"):
        RatioDetector().restore(b"\x01")


def test_what_is_not_an_observation_scores_zero() -> None:
    assert RatioDetector().score_one({"t": 1, "y": 2}) == 0.0
