"""The usual count per minute by day type and quarter of an hour, and the minutes of the day unlike their quarter.

Rules: each slot keeps an exponentially weighted mean, plain at first; a slot speaks for its own day type once it was
seen on ``WARM`` minutes (three days), else the same quarter of an hour over all days speaks if it was seen on ``SEEN``
minutes (one day); beside the mean the median of the last ``VISITS`` visits is usual, so that one strange day does not
make the next healthy one a surprise; the healthy range of a minute spans its slot and both neighbours, so a sharp
opening hour or a step between two quarters is no surprise; a minute of the day that is significantly unlike its quarter
(a batch on the hour, a burst at midnight) widens its own range. Times are UTC.
Not handled here: holidays, clock changes (both appear as a changed day until they are learned).
"""

from array import array
from math import sqrt
from typing import NamedTuple

import msgspec
from river import stats

from tamis.anomaly.clock_shift import SHIFTS, ClockShift, ShiftState, innocent_shift
from tamis.anomaly.packing import pack, unpack

SLOT_MINUTES = 15
DAY_MINUTES = 1_440
SLOTS = DAY_MINUTES // SLOT_MINUTES
DAY_TYPES = 4  # working day, Saturday, Sunday, edge of the week
ALL_DAYS = DAY_TYPES * SLOTS
WORKING_DAYS = 5
EDGE, NOON = 3, SLOTS // 2  # Monday until noon, Friday from noon: where local weekends reach over UTC midnight
SEEN = 15.0
WARM = 45.0
FORGETTING = 0.002
VISITS, LEAST_VISITS, WHOLE_VISIT = 5, 3, 8  # visits of a slot kept, for a median, minutes of a visit that counts
APART, APART_EVENTS = 1.5, 2.0  # a mean so far from the median is not believed
MINUTE_FORGETTING = 0.15
UNLIKE_SHARE, UNLIKE_ROOT = 0.25, 1.5  # significant: 25 % and 1.5 square roots away from the quarter


class Tier:
    """How much the expectation of a minute is worth, best first."""

    WARM = 0
    SEEN = 1
    NONE = 2


class Range(NamedTuple):
    """Usual counts of one minute: ``low`` <= ``mid`` <= ``high``; all 0 in tier NONE."""

    tier: int
    low: float
    mid: float
    high: float


NO_RANGE = Range(Tier.NONE, 0.0, 0.0, 0.0)


class SeasonState(msgspec.Struct, frozen=True, array_like=True):
    """All means, weights (8-byte numbers), minute means and visits (4-byte numbers), packed; the visit going on."""

    means: bytes
    seen: bytes
    minutes: bytes
    visits: bytes
    visit: tuple[int, int, float]
    shift: ShiftState


def slot_of(minute: int) -> int:
    """Quarter of an hour of the day, 0..95, of an epoch minute."""
    return minute % DAY_MINUTES // SLOT_MINUTES


def _own_slot(minute: int) -> int:
    weekday = (minute // DAY_MINUTES + 3) % 7  # 1 January 1970 was a Thursday
    slot = minute % DAY_MINUTES // SLOT_MINUTES
    if weekday >= WORKING_DAYS:
        return (weekday - WORKING_DAYS + 1) * SLOTS + slot
    if (weekday == 0 and slot < NOON) or (weekday == WORKING_DAYS - 1 and slot >= NOON):
        return EDGE * SLOTS + slot
    return slot


class SeasonProfile(stats.base.Bivariate):
    """Exponentially weighted mean of counts per slot of the week and minute of the day."""

    def __init__(self) -> None:
        self._means = array("d", bytes(8 * (ALL_DAYS + SLOTS)))
        self._seen = array("d", bytes(8 * (ALL_DAYS + SLOTS)))
        self._minutes = array("f", [-1.0]) * DAY_MINUTES
        self._visits = array("f", [-1.0]) * (VISITS * (ALL_DAYS + SLOTS))
        self._medians = array("d", [-1.0]) * (ALL_DAYS + SLOTS)
        self._visit, self._visit_n, self._visit_sum = -1, 0, 0.0
        self._shift = ClockShift()

    def update(self, x: float, y: float) -> None:
        """Learn the count ``y`` of the epoch minute ``x``."""
        minute = int(x)
        if minute // SLOT_MINUTES != self._visit:
            self._end_visit()
            self._visit, self._visit_n, self._visit_sum = minute // SLOT_MINUTES, 0, 0.0
        self._visit_n += 1
        self._visit_sum += y
        self._learn(_own_slot(minute), y)
        self._learn(ALL_DAYS + slot_of(minute), y)

    def update_suspect(self, minute: int, count: float) -> None:
        """Learn a suspected count where nothing is known yet: a first Saturday looks like an outage."""
        for slot, enough in ((_own_slot(minute), WARM), (ALL_DAYS + slot_of(minute), SEEN)):
            if self._seen[slot] < enough:
                self._learn(slot, count)

    def update_minute(self, minute: int, count: float) -> None:
        """Learn only the minute of the day, so that a suspected burst is known when it comes again tomorrow."""
        at, old = minute % DAY_MINUTES, self._minutes[minute % DAY_MINUTES]
        self._minutes[at] = count if old < 0.0 else old + MINUTE_FORGETTING * (count - old)

    def follow_clock(self, minute: int, count: float, level: float) -> bool:
        """Take one minute, healthy or not; whether the whole season was moved by an hour because its clock was.

        Args:
            minute: epoch minute.
            count: events in it.
            level: how high the stream stands relative to usual.
        """
        quarter = self._shift.add(minute, count)
        if quarter is None:
            return False
        slots = [_own_slot(minute + shift * SLOT_MINUTES) for shift in SHIFTS]
        if any(self._seen[slot] < WARM for slot in slots):
            return False
        moved = self._shift.weigh(quarter, tuple(level * SLOT_MINUTES * self._means[slot] for slot in slots))
        if moved:
            self._move(moved)
        return moved != 0

    def _move(self, slots: int) -> None:
        for values, width in ((self._means, 1), (self._seen, 1), (self._medians, 1), (self._visits, VISITS)):
            for start in range(0, len(values), SLOTS * width):
                day = values[start : start + SLOTS * width]
                values[start : start + SLOTS * width] = day[slots * width :] + day[: slots * width]
        at = slots * SLOT_MINUTES
        self._minutes = array("f", map(max, self._minutes, self._minutes[at:] + self._minutes[:at]))

    def get(self) -> float:
        """Mean count per minute over all slots seen."""
        weights = self._seen[ALL_DAYS:]
        total = sum(weights)
        return sum(w * m for w, m in zip(weights, self._means[ALL_DAYS:], strict=True)) / total if total else 0.0

    def range(self, minute: int) -> Range:
        """The usual counts of the epoch minute ``minute``."""
        before, own, after = _own_slot(minute - SLOT_MINUTES), _own_slot(minute), _own_slot(minute + SLOT_MINUTES)
        seen, means = self._seen, self._means
        if seen[before] >= WARM and seen[own] >= WARM and seen[after] >= WARM:
            medians = self._medians
            a, b, c = means[before], means[own], means[after]
            d, e, f = medians[before], medians[own], medians[after]
            low, high = min(a, b, c), max(a, b, c, d, e, f)
            if e >= 0.0:
                low = min(low, d if d >= 0.0 else low, e, f if f >= 0.0 else low)
                if b > APART * e + APART_EVENTS or e > APART * b + APART_EVENTS:
                    b = e
            moved = innocent_shift(minute // DAY_MINUTES)
            if moved:
                shifted = [means[_own_slot(minute + (moved + near) * SLOT_MINUTES)] for near in (-1, 0, 1)]
                low, high = min(low, *shifted), max(high, *shifted)
            return self._with_minute(minute, Tier.WARM, low, b, high)
        known = [means[slot] for slot in (before, own, after) if seen[slot] >= SEEN]
        slot = slot_of(minute)
        all_days = [ALL_DAYS + (slot - 1) % SLOTS, ALL_DAYS + slot, ALL_DAYS + (slot + 1) % SLOTS]
        if any(seen[slot] < SEEN for slot in all_days):
            return NO_RANGE
        known += [means[slot] for slot in all_days]
        return self._with_minute(minute, Tier.SEEN, min(known), means[ALL_DAYS + slot], max(known))

    def encode(self) -> SeasonState:
        """The whole state as plain values."""
        return SeasonState(
            pack(self._means), pack(self._seen), pack(self._minutes), pack(self._visits),
            (self._visit, self._visit_n, self._visit_sum), self._shift.encode(),
        )  # fmt: skip

    def restore(self, state: SeasonState) -> None:
        """Take over a state made by ``encode``."""
        self._means = unpack("d", state.means, ALL_DAYS + SLOTS)
        self._seen = unpack("d", state.seen, ALL_DAYS + SLOTS)
        self._minutes = unpack("f", state.minutes, DAY_MINUTES)
        self._visits = unpack("f", state.visits, VISITS * (ALL_DAYS + SLOTS))
        self._visit, self._visit_n, self._visit_sum = state.visit
        for slot in range(ALL_DAYS + SLOTS):
            self._medians[slot] = self._median(slot)
        self._shift.restore(state.shift)

    def _end_visit(self) -> None:
        """Keep the mean of the visit that ended, if it was long enough."""
        if self._visit_n < WHOLE_VISIT:
            return
        minute, mean = self._visit * SLOT_MINUTES, self._visit_sum / self._visit_n
        for slot in (_own_slot(minute), ALL_DAYS + slot_of(minute)):
            at = VISITS * slot
            self._visits[at : at + VISITS] = array("f", [mean]) + self._visits[at : at + VISITS - 1]
            self._medians[slot] = self._median(slot)

    def _median(self, slot: int) -> float:
        """Median of the last visits of a slot, -1 of too few."""
        known = sorted(visit for visit in self._visits[VISITS * slot : VISITS * slot + VISITS] if visit >= 0.0)
        return known[(len(known) - 1) // 2] if len(known) >= LEAST_VISITS else -1.0

    def _with_minute(self, minute: int, tier: int, low: float, mid: float, high: float) -> Range:
        single = self._minutes[minute % DAY_MINUTES]
        if single > (1.0 + UNLIKE_SHARE) * high + UNLIKE_ROOT * sqrt(high):
            high = single
        elif 0.0 <= single < (1.0 - UNLIKE_SHARE) * low - UNLIKE_ROOT * sqrt(low):
            low = single
        return Range(tier, low, mid, high)

    def _learn(self, slot: int, count: float) -> None:
        seen = self._seen[slot] + 1.0
        self._seen[slot] = seen
        self._means[slot] += max(FORGETTING, 1.0 / seen) * (count - self._means[slot])
