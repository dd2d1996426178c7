"""The usual share of upstream events that convert: its level, its own daily shape, and the delay until they do.

Rules: the shape is relative to the level, per hour of the day, shrunk towards 1 while little was seen; expectations are
given for several delays, because conversions come minutes after their upstream step; for the lower edge bursts of the
upstream step are cut down to what is usual around them (machines do not convert). Times are UTC.
"""

from array import array

import msgspec
from river import stats

from tamis.anomaly.levels import fading
from tamis.anomaly.packing import pack, unpack

HOURS = 24
DELAYS = (2.5, 9.0)  # minutes, half-lives of the smoothed upstream, besides none
AROUND = 60.0  # minutes, half-life of what is usual around a burst
CUT = 2.0  # times what is usual around
LEVEL_HALF_LIFE = 1_440.0
LEVEL_KEEP = 0.5 ** (1.0 / LEVEL_HALF_LIFE)
SHAPE_KEEP = 0.5 ** (1.0 / (6 * 60.0))  # half-life six visits of its hour
SHAPE_PRIOR = 40.0  # conversions of shape 1


class RateState(msgspec.Struct, frozen=True, array_like=True):
    """Sums of the level, the shape's packed sums, and the smoothed upstream: cut, whole, around (-1 = none yet)."""

    converted: float
    upstream: float
    shape: tuple[bytes, bytes]
    smooth: tuple[float, ...]


class ConversionRate:
    """Level and shape of the rate, and the expectations that follow from upstream counts."""

    __slots__ = ("_expected", "_shape", "_smooth", "converted", "upstream")

    def __init__(self) -> None:
        self.converted = self.upstream = 0.0
        self._shape, self._expected = array("d", bytes(8 * HOURS)), array("d", bytes(8 * HOURS))
        halves = (*DELAYS, *DELAYS, AROUND)
        self._smooth = [stats.EWMean(fading(half_life)) for half_life in halves]

    def level(self) -> float:
        """Conversions per upstream event, 0 before any."""
        return self.converted / self.upstream if self.upstream > 0.0 else 0.0

    def shape(self, minute: int) -> float:
        """The rate at this epoch minute relative to the level, between hours interpolated."""
        place = (minute - 30) % 1_440 / 60.0
        hour = int(place)
        part, after = place - hour, (hour + 1) % HOURS
        shape, expected = self._shape, self._expected
        a = (shape[hour] + SHAPE_PRIOR) / (expected[hour] + SHAPE_PRIOR)
        b = (shape[after] + SHAPE_PRIOR) / (expected[after] + SHAPE_PRIOR)
        return (1.0 - part) * a + part * b

    def smooth(self, upstream: float) -> tuple[float, ...]:
        """Take this minute's upstream events; cut and whole upstream without delay and at both delays."""
        cut_a, cut_b, whole_a, whole_b, around = self._smooth
        usual = around.get() or 0.0
        cut = min(upstream, CUT * usual + 3.0 * (usual + 1.0) ** 0.5) if usual else upstream
        cut_a.update(cut)
        cut_b.update(cut)
        whole_a.update(upstream)
        whole_b.update(upstream)
        around.update(cut)
        return cut, cut_a.get(), cut_b.get(), upstream, whole_a.get(), whole_b.get()

    def learn(self, minute: int, conversions: float, upstream: float) -> None:
        """Add one minute; ``upstream`` as expected to convert in it."""
        level, hour = self.level(), minute % 1_440 // 60
        self.converted = self.converted * LEVEL_KEEP + conversions
        self.upstream = self.upstream * LEVEL_KEEP + upstream
        self._shape[hour] = self._shape[hour] * SHAPE_KEEP + conversions
        self._expected[hour] = self._expected[hour] * SHAPE_KEEP + level * upstream

    def anchor(self, factor: float) -> None:
        """Multiply the level: the new normal."""
        self.converted *= factor

    def encode(self) -> RateState:
        """The whole state as plain values."""
        smooth = tuple(-1.0 if mean.get() is None else float(mean.get()) for mean in self._smooth)
        return RateState(self.converted, self.upstream, (pack(self._shape), pack(self._expected)), smooth)

    def restore(self, state: RateState) -> None:
        """Take over a state made by ``encode``."""
        self.converted, self.upstream = state.converted, state.upstream
        self._shape, self._expected = (unpack("d", packed, HOURS) for packed in state.shape)
        self._smooth = [stats.EWMean(mean.fading_factor) for mean in self._smooth]
        if self.upstream > 0.0:
            for mean, value in zip(self._smooth, state.smooth, strict=True):
                mean.update(value)
