"""Clock changes of Europe and America are expected; a moved day is recognised from its counts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tamis.anomaly.clock_shift import ClockShift, innocent_shift
from tamis.anomaly.count_detector import CountDetector

START = 29_459_520  # Monday, 5 January 2026


@pytest.mark.parametrize(
    ("date", "shift"),
    [("2026-03-07", 0), ("2026-03-08", 4), ("2026-03-15", 4), ("2026-03-20", 0), ("2026-03-29", 4), ("2026-07-01", 0),
     ("2026-10-24", 0), ("2026-10-25", -4), ("2026-11-01", -4), ("2026-11-08", -4), ("2026-11-10", 0)],
)  # fmt: skip
def test_days_after_a_clock_change(date: str, shift: int) -> None:
    day = int(datetime.fromisoformat(date).replace(tzinfo=UTC).timestamp()) // 86_400
    assert innocent_shift(day) == shift


def test_a_day_that_moved_by_an_hour_is_learned_at_once() -> None:
    detector, alarms = CountDetector(), list[int]()
    for i in range(30 * 1440):
        hour = (i + (60 if i >= 25 * 1440 else 0)) % 1440 / 60
        count = (60 if 9 <= hour < 18 else 2) + i * 7 % 5
        if detector.observe(START + i, count).score >= 0.5 and i >= 22 * 1440:
            alarms.append(i // 1440)
    assert set(alarms) <= {25}


def test_state_round_trip() -> None:
    shift, other = ClockShift(), ClockShift()
    for minute in range(40):
        if shift.add(minute, 3.0) is not None:
            shift.weigh(45.0, (45.0, 20.0, 90.0))
    other.restore(shift.encode())
    assert other.encode() == shift.encode()
