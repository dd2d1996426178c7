"""Is this value far from where the stream stands, by its own measure of far? Catches repeats, unlike novelty.

Rules: level and scale learn a deviation only up to ``CLIP`` scales, so one fault cannot buy itself tolerance; the scale
has a floor from the slow wander of the stream, so a flat stretch does not make noise look like news; a level that
stays off is a shift once ADWIN sees the residuals change: it becomes the new normal, after one alert.
Source of the drift test: Bifet and Gavalda, Learning from time-changing data with adaptive windowing, SDM 2007
(River's ``drift.ADWIN``).
"""

from array import array
from collections.abc import Mapping
from typing import Any

import msgspec
from river import drift
from river.base import AnomalyDetector

from tamis.anomaly.packing import pack, unpack
from tamis.anomaly.versions import check_version

LEVEL, SCALE, SLOW = 0.1, 3e-3, 5e-4  # forgetting
FLOOR = 0.05  # of the slow wander
CLIP = 3.0  # scales
MOST = 50.0
WARM = 60
OFF, OFF_SHARE, RECENT = 2.0, 0.8, 0.05  # scales off; share of the last observations, forgotten so fast
MOST_FED, KEPT = 512, 256  # what ADWIN is made of anew


class ResidualState(msgspec.Struct, frozen=True, array_like=True):
    """The whole state of a ``ProtectedResidual``, version 1; ``fed`` is what ADWIN has seen, packed."""

    version: int
    n: int
    level: float
    scale: float
    slow: float
    wander: float
    off: float
    fed: bytes


STATE_VERSION = 1
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(ResidualState)


class ShiftTest:
    """ADWIN over a bounded past: it is made anew from its last inputs, so those inputs are its whole state."""

    __slots__ = ("_adwin", "fed")

    def __init__(self) -> None:
        self.fed = array("d")
        self._adwin = drift.ADWIN()

    def update(self, value: float) -> bool:
        """Add one value; whether the mean has changed."""
        self.fed.append(value)
        self._adwin.update(value)
        changed = bool(self._adwin.drift_detected)
        if changed:
            self.restore(array("d"))
        elif len(self.fed) >= MOST_FED:
            self.restore(self.fed[-KEPT:])
        return changed

    def restore(self, fed: "array[float]") -> None:
        """Go on as after these values."""
        self.fed, self._adwin = fed, drift.ADWIN()
        for value in fed:
            self._adwin.update(value)


class ProtectedResidual(AnomalyDetector):
    """Protected residual of ``{"y": value}`` against its exponentially weighted level.

    With e = y - level, the surprise is q = min(|e| / (s + 0.05 g), 50): s is the mean of |e|, g the mean deviation from
    a slow mean. The score is q / (q + threshold), so 0.5 is the threshold. Observations without a value score 0 and
    teach nothing.

    Args:
        threshold: surprise at which the score is 0.5, in scales.

    Examples:
        >>> detector = ProtectedResidual()
        >>> for i in range(1000):
        ...     detector.learn_one({"t": 60 * i, "y": 20.0 + i % 7})
        >>> detector.is_warm
        True
        >>> detector.score_one({"t": 60_000, "y": 22.0}) < 0.3
        True
        >>> detector.score_one({"t": 60_000, "y": 200.0}) > 0.5
        True
    """

    def __init__(self, threshold: float = 12.6) -> None:
        self.threshold = threshold
        self._n = 0
        self._level = self._scale = self._slow = self._wander = self._off = 0.0
        self._shift = ShiftTest()

    @property
    def is_warm(self) -> bool:
        """Whether enough was learned for a verdict."""
        return self._n >= WARM

    def score_one(self, x: Mapping[str, Any]) -> float:
        """Score in 0..1, 0.5 = threshold; nothing is changed."""
        value = x.get("y")
        if value is None or not self.is_warm:
            return 0.0
        return self._score(float(value))

    def learn_one(self, x: Mapping[str, Any]) -> None:
        """Learn one observation."""
        value = x.get("y")
        if value is not None:
            self.observe(float(value))

    def observe(self, value: float) -> float:
        """Score, then learn: the two calls in one; ``value`` is finite."""
        if not self._n:
            self._level = self._slow = value
        score = self._score(value) if self.is_warm else 0.0
        self._learn(value)
        return score

    def encode(self) -> bytes:
        """The whole state, explicit and portable (msgpack)."""
        return _encoder.encode(
            ResidualState(
                STATE_VERSION, self._n, self._level, self._scale, self._slow, self._wander, self._off,
                pack(self._shift.fed),
            )
        )  # fmt: skip

    def restore(self, encoded: bytes) -> None:
        """Take over a state made by ``encode``.

        Raises:
            msgspec.DecodeError: not such a state.
            ValueError: a state of another version.
        """
        state = _decoder.decode(encoded)
        check_version(state.version, STATE_VERSION, "detector state")
        self._n, self._level, self._scale = state.n, state.level, state.scale
        self._slow, self._wander, self._off = state.slow, state.wander, state.off
        self._shift.restore(unpack("d", state.fed, len(state.fed) // 8))

    def _score(self, value: float) -> float:
        away, unit = abs(value - self._level), self._scale + FLOOR * self._wander
        if away <= 0.0:
            return 0.0
        q = min(away / unit, MOST) if unit > 0.0 else MOST
        return q / (q + self.threshold)

    def _learn(self, value: float) -> None:
        self._n += 1
        unit, residual, plain = self._scale + FLOOR * self._wander, value - self._level, 1.0 / self._n
        self._wander += max(SLOW, plain) * (abs(value - self._slow) - self._wander)
        self._slow += max(SLOW, plain) * (value - self._slow)
        if self._n <= WARM or unit <= 0.0:
            clipped = residual
        else:
            clipped = max(-CLIP * unit, min(CLIP * unit, residual))
            self._off += RECENT * ((abs(residual) > OFF * unit) - self._off)
        self._scale += max(SCALE, plain) * (abs(clipped) - self._scale)
        self._level += LEVEL * clipped
        if unit > 0.0 and self._shift.update(clipped / unit) and self._off > OFF_SHARE:
            self._level, self._off = value, 0.0
