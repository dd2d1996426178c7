"""How rough this stream normally is: excess variance of counts, per window length, by quarter of an hour, by minute.

Rules: everything is forgotten slowly, and each contribution is clipped, so that one fault cannot buy itself tolerance.
``Roughness`` looks at neighbouring minutes only, so slow changes (campaigns, wandering demand) do not enter it;
``Spread`` adds what still falls outside the healthy band; its slots make a burst or an uncertain opening that comes at
the same time every day widen only that time.
"""

from array import array

import msgspec
from river import stats

from tamis.anomaly.packing import pack, unpack
from tamis.anomaly.season import SLOTS

CLIP = 9.0
SMALLEST = 4e-4
FORGETTING = 5e-4
SLOT_FORGETTING = 0.01
LEAST_EXPECTED = 5.0
ROUGH_START = 0.02


class SpreadState(msgspec.Struct, frozen=True, array_like=True):
    """Overall value and the 96 slots' values of one window length."""

    overall: float
    slots: bytes


class RoughState(msgspec.Struct, frozen=True, array_like=True):
    """Mean, and residual and expectation of the last minute (expectation -1: none)."""

    mean: float
    residual: float
    usual: float


def _mean_at(value: float) -> stats.EWMean:
    mean = stats.EWMean(FORGETTING)
    mean.update(value)
    return mean


class Spread:
    """tau^2 of one window length beyond the band: mean of ``((O - edge)^2 - edge) / edge^2``, 0 inside the band."""

    __slots__ = ("_overall", "_slots")

    def __init__(self) -> None:
        self._overall = _mean_at(SMALLEST)
        self._slots = array("d", [SMALLEST]) * SLOTS

    def at(self, slot: int) -> float:
        """tau^2 that counts in quarter ``slot`` of the day."""
        overall, own = float(self._overall.get()), self._slots[slot]
        return max(own, overall)

    def learn(self, slot: int, observed: float, low: float, high: float, *, overall: bool) -> None:
        """Add one window; ``overall`` = False while the stream is suspected, then only its slot learns."""
        excess = 0.0
        if observed < low or observed > high:
            edge = low if observed < low else high
            if edge >= LEAST_EXPECTED:
                deviation = observed - edge
                excess = max(0.0, deviation * deviation - edge) / (edge * edge)
                excess = min(CLIP * max(self.at(slot), SMALLEST), excess)
        self._slots[slot] += SLOT_FORGETTING * (excess - self._slots[slot])
        if overall:
            self._overall.update(excess)

    def encode(self) -> SpreadState:
        """The whole state as plain values."""
        return SpreadState(self._overall.get(), pack(self._slots))

    def restore(self, state: SpreadState) -> None:
        """Take over a state made by ``encode``."""
        self._overall = _mean_at(state.overall)
        self._slots = unpack("d", state.slots, SLOTS)


class Roughness:
    """tau^2 of one minute: half the squared difference of two residuals, less what counting alone explains."""

    __slots__ = ("_mean", "_residual", "_usual")

    def __init__(self) -> None:
        self._mean = _mean_at(ROUGH_START)
        self._residual, self._usual = 0.0, -1.0

    def get(self) -> float:
        """tau^2 of one minute, >= 0."""
        return max(0.0, float(self._mean.get()))

    def learn(self, observed: float, usual: float) -> None:
        """Add one minute that follows the last one learned."""
        residual, before = observed - usual, self._usual
        if before >= LEAST_EXPECTED and usual >= LEAST_EXPECTED:
            difference = residual - self._residual
            excess = 0.5 * (difference * difference - usual - before) / (usual * before)
            bound = CLIP * max(self.get(), SMALLEST)
            self._mean.update(max(-bound, min(bound, excess)))
        self._residual, self._usual = residual, usual

    def pause(self) -> None:
        """The next minute does not follow the last one learned."""
        self._usual = -1.0

    def encode(self) -> RoughState:
        """The whole state as plain values."""
        return RoughState(self._mean.get(), self._residual, self._usual)

    def restore(self, state: RoughState) -> None:
        """Take over a state made by ``encode``."""
        self._mean = _mean_at(state.mean)
        self._residual, self._usual = state.residual, state.usual
