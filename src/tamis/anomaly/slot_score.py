"""How unusual a value is for its time of day: a z-score per slot, with a variance floor from the whole stream.

Rules: slots are parts of the day, optionally apart for weekends; a slot is silent until it has ``LEAST_SEEN`` values;
the score is that of the state before the value. Times are UTC.
"""

from array import array
from math import sqrt

import msgspec

from tamis.anomaly.packing import pack, unpack

DAY_S = 86_400
WORKING_DAYS = 5
LEAST_SEEN = 6
FORGETTING = 0.02
OVERALL_FORGETTING = 5e-4
FLOOR_SHARE = 0.02  # of the overall variance
TINY = 1e-12


class SlotScoreState(msgspec.Struct, frozen=True, array_like=True):
    """Means, variances and counts by slot, packed; overall mean, variance and count."""

    means: bytes
    variances: bytes
    seen: bytes
    overall: tuple[float, float, int]


class SlotScore:
    """Exponentially weighted mean and variance by slot of the day.

    Args:
        slots: per day.
        weekends: Saturday and Sunday have slots of their own.
    """

    __slots__ = ("_mean", "_means", "_n", "_seen", "_slots", "_variance", "_variances", "_weekends", "_width")

    def __init__(self, slots: int, *, weekends: bool) -> None:
        self._slots, self._weekends, self._width = slots, weekends, DAY_S // slots
        total = slots * (2 if weekends else 1)
        self._means = array("d", bytes(8 * total))
        self._variances = array("d", bytes(8 * total))
        self._seen = array("d", bytes(8 * total))
        self._mean = self._variance = 0.0
        self._n = 0

    def score(self, time: int, value: float) -> float:
        """The z-score of ``value`` at ``time`` (epoch seconds); 0 while the slot is silent."""
        slot = self._slot(time)
        if self._seen[slot] < LEAST_SEEN:
            return 0.0
        # The floor takes this value into account: a first burst must not be divided by a variance of nothing.
        forgetting = max(OVERALL_FORGETTING, 1.0 / (self._n + 1))
        deviation = value - self._mean
        overall = (1.0 - forgetting) * (self._variance + forgetting * deviation * deviation)
        return (value - self._means[slot]) / sqrt(self._variances[slot] + FLOOR_SHARE * overall + TINY)

    def learn(self, time: int, value: float) -> None:
        """Add one observation."""
        self._n += 1
        forgetting = max(OVERALL_FORGETTING, 1.0 / self._n)
        deviation = value - self._mean
        self._mean += forgetting * deviation
        self._variance = (1.0 - forgetting) * (self._variance + forgetting * deviation * deviation)
        slot = self._slot(time)
        seen = self._seen[slot] = self._seen[slot] + 1.0
        forgetting = max(FORGETTING, 1.0 / seen)
        deviation = value - self._means[slot]
        self._means[slot] += forgetting * deviation
        self._variances[slot] = (1.0 - forgetting) * (self._variances[slot] + forgetting * deviation * deviation)

    def encode(self) -> SlotScoreState:
        """The whole state as plain values."""
        overall = (self._mean, self._variance, self._n)
        return SlotScoreState(pack(self._means), pack(self._variances), pack(self._seen), overall)

    def restore(self, state: SlotScoreState) -> None:
        """Take over a state made by ``encode``."""
        total = len(self._means)
        self._means, self._variances = unpack("d", state.means, total), unpack("d", state.variances, total)
        self._seen = unpack("d", state.seen, total)
        self._mean, self._variance, self._n = state.overall

    def _slot(self, time: int) -> int:
        slot = time % DAY_S // self._width
        if self._weekends and (time // DAY_S + 3) % 7 >= WORKING_DAYS:  # 1 January 1970 was a Thursday
            return slot + self._slots
        return slot
