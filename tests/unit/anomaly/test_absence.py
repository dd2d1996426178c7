"""Nothing by the expected time is told; closed days, first days and clock changes are no false alarms."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfoNotFoundError

import pytest

from tamis.anomaly.absence import AbsenceDetector, local_minute, minutes_of

HOUR, DAY = 3_600, 86_400
MONDAY = 28_401_120 * 60


def _days(detector: AbsenceDetector, start: int, days: int, comes: set[int], closed: tuple[int, ...] = ()) -> list[int]:
    """Hours at which a day's score is 1; an event comes at the hours ``comes`` but on days ``closed``."""
    found = []
    for hour in range(24 * days):
        count = hour % 24 in comes and hour // 24 not in closed
        if detector.observe(start + HOUR * hour, int(count)) == 1.0:
            found.append(hour)
    return found


def test_from_the_expected_time_on_until_an_event_comes() -> None:
    detector = AbsenceDetector("10:00")
    assert _days(detector, MONDAY, 2, {8}) == []
    assert _days(detector, MONDAY + 2 * DAY, 1, {13}) == [10, 11, 12]
    assert _days(detector, MONDAY + 3 * DAY, 1, set()) == list(range(10, 24))


def test_a_day_that_was_not_watched_from_its_beginning_is_not_judged() -> None:
    detector = AbsenceDetector("10:00")
    assert _days(detector, MONDAY + 9 * HOUR, 1, set())[:1] == []
    assert not AbsenceDetector("10:00").is_warm


def test_a_closed_sunday_is_told_once() -> None:
    detector = AbsenceDetector("10:00")
    assert sorted({hour // 24 for hour in _days(detector, MONDAY, 28, {8}, closed=(6, 13, 20, 27))}) == [6]


def test_a_day_of_the_week_that_came_back_is_expected_again() -> None:
    detector = AbsenceDetector("10:00")
    assert sorted({hour // 24 for hour in _days(detector, MONDAY, 28, {8}, closed=(6, 13, 27))}) == [6, 27]


def test_local_time_moves_with_the_clock_of_its_zone() -> None:
    winter = int(datetime(2026, 1, 15, 8, 30, tzinfo=UTC).timestamp())
    summer = int(datetime(2026, 7, 15, 7, 30, tzinfo=UTC).timestamp())
    assert local_minute(winter // 60, "Europe/Berlin").minute == 9 * 60 + 30
    assert local_minute(summer // 60, "Europe/Berlin").minute == 9 * 60 + 30


def test_the_state_goes_on_where_it_was_taken() -> None:
    one, other = AbsenceDetector("10:00"), AbsenceDetector("10:00")
    _days(one, MONDAY, 9, {8}, closed=(6,))
    other.restore(one.encode())
    assert _days(other, MONDAY + 9 * DAY, 7, {13}) == _days(one, MONDAY + 9 * DAY, 7, {13})
    assert other.encode() == one.encode()


def test_a_state_of_another_version_and_bad_settings_are_refused() -> None:
    detector = AbsenceDetector()
    with pytest.raises(ValueError, match="version 9"):
        detector.restore(b"\x96\x09" + detector.encode()[2:])
    for bad in ("24:00", "9:00", "10:60", "ten"):
        with pytest.raises(ValueError, match=r"."):
            minutes_of(bad)
    with pytest.raises(ZoneInfoNotFoundError):
        AbsenceDetector("10:00", "Mars/Olympus").observe(0, 1)
