"""The count detector: what it finds, what leaves it cold, how it recovers, and its state."""

from __future__ import annotations

import random

import msgspec
import pytest

from tamis.anomaly.count_detector import CountDetector, Judgement

DAY = 1440
MONDAY = 28_401_120  # 1 January 2024, 00:00 UTC


def _office(minute: int, rng: random.Random, level: float = 40.0) -> int:
    """Sharp opening hours from 9 to 18 on working days, nothing else."""
    weekday, hour = minute // DAY % 7, minute % DAY // 60
    weekday = (minute // DAY + 3) % 7
    mean = level if weekday < 5 and 9 <= hour < 18 else 0.0
    return max(0, round(rng.gauss(mean, mean**0.5)))


def _trained(days: int, level: float = 40.0) -> tuple[CountDetector, random.Random, int]:
    detector, rng = CountDetector(), random.Random(7)
    for minute in range(MONDAY, MONDAY + days * DAY):
        detector.observe(minute, _office(minute, rng, level))
    return detector, rng, MONDAY + days * DAY


def _run(detector: CountDetector, start: int, counts: list[int]) -> list[Judgement]:
    return [detector.observe(start + i, count) for i, count in enumerate(counts)]


def test_an_outage_in_opening_hours_is_found_within_minutes_and_recovery_soon_after() -> None:
    detector, rng, start = _trained(23)
    start += 10 * 60
    for minute in range(start - 600, start):
        assert detector.observe(minute, _office(minute, rng)).score < 0.5
    outage = _run(detector, start, [0] * 40)
    assert next(i for i, verdict in enumerate(outage) if verdict.score >= 0.5) <= 2
    assert all(verdict.score >= 0.5 for verdict in outage[3:])
    healthy = _run(detector, start + 40, [_office(start + 40 + i, rng) for i in range(10)])
    assert healthy[0].score < 0.5
    assert all(verdict.score < 0.2 for verdict in healthy[1:])
    assert not detector.alarmed


def test_sharp_opening_hours_nights_and_weekends_are_no_surprise() -> None:
    detector, rng, start = _trained(23)
    scores = [detector.observe(m, _office(m, rng)).score for m in range(start, start + 12 * DAY)]
    assert max(scores) < 0.5


def test_the_second_outage_is_found_like_the_first() -> None:
    detector, rng, start = _trained(23)
    delays = []
    for day in range(2):
        begin = start + day * DAY + 11 * 60
        for minute in range(start + day * DAY, begin):
            detector.observe(minute, _office(minute, rng))
        scores = [verdict.score for verdict in _run(detector, begin, [0] * 30)]
        delays.append(next(i for i, score in enumerate(scores) if score >= 0.5))
        for minute in range(begin + 30, start + (day + 1) * DAY):
            detector.observe(minute, _office(minute, rng))
    assert max(delays) <= 2


def test_a_triple_rate_is_a_spike_and_a_campaign_is_not() -> None:
    detector, rng, start = _trained(23)
    for minute in range(start, start + 11 * 60):
        detector.observe(minute, _office(minute, rng))
    other = CountDetector()
    other.restore(detector.encode())
    campaign = _run(detector, start + 660, [_office(start + 660 + i, rng, 60.0) for i in range(60)])
    assert max(verdict.score for verdict in campaign) < 0.5
    spike = _run(other, start + 660, [_office(start + 660 + i, rng, 160.0) for i in range(20)])
    assert max(verdict.score for verdict in spike) >= 0.5
    assert max(spike).surprise > 0


def test_before_the_season_is_known_the_level_finds_a_collapse() -> None:
    detector, rng = CountDetector(), random.Random(3)
    assert detector.observe(0, 0.0).score == 0.0
    healthy = [detector.observe(i, round(rng.gauss(30, 5))).score for i in range(1, 120)]
    assert detector.is_warm
    assert max(healthy) < 0.5
    assert max(verdict.score for verdict in _run(detector, 120, [0] * 5)) >= 0.5


def test_a_lasting_new_level_becomes_normal() -> None:
    detector, rng, start = _trained(23)
    for minute in range(start, start + 9 * 60 + 30):
        detector.observe(minute, _office(minute, rng))
    scores = [detector.observe(m, _office(m, rng, 8.0)).score for m in range(start + 570, start + 1000)]
    assert scores[10] >= 0.5
    assert max(scores[200:]) < 0.5
    assert not detector.alarmed


def test_state_round_trip_is_exact_and_small() -> None:
    detector, rng, start = _trained(9)
    other = CountDetector()
    other.restore(detector.encode())
    assert other.encode() == detector.encode()
    for minute in range(start, start + DAY):
        count = 0 if minute % DAY > 700 else _office(minute, rng)
        assert other.observe(minute, count) == detector.observe(minute, count)
    assert other.encode() == detector.encode()
    assert len(detector.encode()) < 40_000


def test_a_fresh_state_round_trips() -> None:
    other = CountDetector()
    other.restore(CountDetector().encode())
    assert other.encode() == CountDetector().encode()


def test_other_bytes_are_refused() -> None:
    with pytest.raises(msgspec.DecodeError):
        CountDetector().restore(b"\x80\x04cos\nsystem\n.")
    state = msgspec.msgpack.decode(CountDetector().encode())
    with pytest.raises(ValueError, match="version 3"):
        CountDetector().restore(msgspec.msgpack.encode([3, *state[1:]]))


def test_a_gap_in_time_starts_new_windows() -> None:
    detector, rng, start = _trained(23)
    start += 10 * 60
    assert detector.observe(start, _office(start, rng)).score < 0.5
    assert detector.observe(start + 30, 0).window == 1


def test_what_is_not_an_observation_scores_zero_and_teaches_nothing() -> None:
    detector, _, start = _trained(2)
    before = detector.encode()
    for x in ({}, {"t": start}, {"y": 3}, {"t": start - 1, "y": 3}):
        detector.learn_one(x)
        assert detector.score_one(x) == 0.0
    assert detector.encode() == before
