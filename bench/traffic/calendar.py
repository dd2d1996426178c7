"""Local time of a series: offset from UTC, clock changes, holidays; all drawn from the series' own generator."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

DAY = 1440
WEEK = 7 * DAY
FIRST_MINUTE = 29_453_760  # Thursday, 1 January 2026, 00:00 UTC
# Days since 1 January 2026 of the clock changes of that year: (forward, back), and the hour in UTC.
CHANGES = {"eu": ((87, 297), 1), "us": ((66, 304), 7)}


@dataclass(frozen=True)
class Calendar:
    """Where a series lives.

    Attributes:
        start: epoch minute of the first row; a Monday 00:00 UTC.
        local: local minutes since ``start``'s local midnight, per row (jumps at a clock change).
        change: row of the clock change, or -1.
        holidays: local days that are holidays.
        weekday: 0 Monday .. 6 Sunday, per row, local.
    """

    start: int
    local: NDArray[np.int64]
    change: int
    weekday: NDArray[np.int64]
    holidays: list[int] = field(default_factory=list)


def draw_calendar(rng: np.random.Generator, n: int) -> Calendar:
    """A quarter of the series cross a clock change in the judged weeks, a third have a holiday or two."""
    zone = str(rng.choice(["utc", "eu", "eu", "us"]))
    offset = {"utc": 0, "eu": 60, "us": -300 if rng.random() < 0.6 else -480}[zone]
    minute, change = np.arange(n), -1
    shift = np.zeros(n, dtype=np.int64)
    if zone != "utc" and rng.random() < 0.35:
        days, hour = CHANGES[zone]
        which = int(rng.integers(2))
        # The change falls on a Sunday of the fourth or fifth week.
        weeks_before = int(rng.integers(3, 5))
        first = days[which] - 6 - 7 * weeks_before  # that Sunday's Monday, weeks before
        change = (days[which] - first) * DAY + hour * 60
        shift[change:] = 60 if which == 0 else -60
        start = FIRST_MINUTE + first * DAY
        if which == 1:
            offset += 60
    else:
        start = FIRST_MINUTE + (4 + 7 * int(rng.integers(9, 30))) * DAY
    local = minute + offset + shift
    weekday = (start // DAY + 3 + np.floor_divide(local, DAY)) % 7
    holidays = []
    if rng.random() < 0.35:
        for _ in range(int(rng.integers(1, 3))):
            day = int(rng.integers(21, n // DAY))
            if (start // DAY + 3 + day) % 7 < 5:
                holidays.append(day)
    return Calendar(start, local, change, weekday, holidays)
