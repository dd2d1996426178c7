"""Has the clock of a stream moved by an hour against UTC? Known dates of clock changes, evidence from the counts.

Rules: for ``DAYS_AFTER`` days after the European and American clock changes the usual counts of an hour later (spring)
or earlier (autumn) are innocent, too; a stream whose quarters of an hour fit the shifted day clearly better, on any
date, is taken to have moved. Not handled here: what is usual (``season``).
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

import msgspec

from tamis.anomaly.deviance import signed_deviance

HOUR_SLOTS = 4
SHIFTS = (0, HOUR_SLOTS, -HOUR_SLOTS)  # usual counts come from so many quarters later
DAYS_AFTER = 8
SPREAD, MOST = 0.05, 25.0  # of one quarter: tau^2 and largest squared deviance
KEEP = 0.5 ** (1.0 / 48)  # half-life half a day
CLEARLY, SHARE = 60.0, 0.5


@lru_cache(maxsize=512)
def innocent_shift(day: int) -> int:
    """Quarters by which the usual day may have moved on this epoch day because of a clock change; 0 for none."""
    date = datetime.fromtimestamp(day * 86_400, UTC)
    for month, last, shift in ((3, True, 1), (3, False, 1), (10, True, -1), (11, False, -1)):
        change = _sunday(date.year, month, 2 if month == 3 else 1, last=last)  # noqa: PLR2004 -- March
        if timedelta(0) <= date - change < timedelta(days=DAYS_AFTER):
            return shift * HOUR_SLOTS
    return 0


def _sunday(year: int, month: int, nth: int, *, last: bool) -> datetime:
    """The nth Sunday of a month, or its last."""
    first = datetime(year, month, 1, tzinfo=UTC)
    sunday = first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (nth - 1))
    while last and (sunday + timedelta(days=7)).month == month:
        sunday += timedelta(days=7)
    return sunday


class ShiftState(msgspec.Struct, frozen=True, array_like=True):
    """Misfit of each shift, the quarter being counted (-1: none), its minutes and its count."""

    misfits: tuple[float, ...]
    quarter: int
    minutes: int
    count: float


class ClockShift:
    """Evidence for a moved clock, from whole quarters of an hour."""

    __slots__ = ("_count", "_minutes", "_misfits", "_quarter")

    def __init__(self) -> None:
        self._misfits = [0.0] * len(SHIFTS)
        self._quarter, self._minutes, self._count = -1, 0, 0.0

    def add(self, minute: int, count: float) -> float | None:
        """Count one minute; the count of the quarter that it completes."""
        quarter = minute // 15
        if quarter != self._quarter:
            self._quarter, self._minutes, self._count = quarter, 0, 0.0
        self._minutes += 1
        self._count += count
        return self._count if self._minutes == 15 else None  # noqa: PLR2004 -- a quarter of an hour

    def weigh(self, count: float, expected: tuple[float, ...]) -> int:
        """Compare a quarter with what each of ``SHIFTS`` expects; the shift that is clearly right, else 0."""
        misfits = self._misfits
        for i, usual in enumerate(expected):
            found = signed_deviance(count, usual + 1.0, SPREAD)
            misfits[i] = misfits[i] * KEEP + min(MOST, found * found)
        best = 1 if misfits[1] < misfits[2] else 2
        if misfits[0] - misfits[best] > CLEARLY and misfits[best] < SHARE * misfits[0]:
            self._misfits = [0.0] * len(SHIFTS)
            return SHIFTS[best]
        return 0

    def encode(self) -> ShiftState:
        """The whole state as plain values."""
        return ShiftState(tuple(self._misfits), self._quarter, self._minutes, self._count)

    def restore(self, state: ShiftState) -> None:
        """Take over a state made by ``encode``."""
        self._misfits = list(state.misfits)
        self._quarter, self._minutes, self._count = state.quarter, state.minutes, state.count
