"""How high a stream stands right now, relative to what is usual and in plain counts, at several speeds.

Rules: a level is a ratio of two exponentially weighted means with a little weight on 1, so that quiet hours (nothing
usual, nothing seen) lead back to the usual level instead of to a ratio of two tiny numbers.
"""

import msgspec
from river import stats

PRIOR_EVENTS = 2.0
LEVEL_HALF_LIFE = 30.0


def fading(half_life: float) -> float:
    """River's fading factor for a half-life in minutes."""
    return float(1.0 - 0.5 ** (1.0 / half_life))


class RatioState(msgspec.Struct, frozen=True, array_like=True):
    """Exponentially weighted means of the observed and of the usual count; -1 = nothing learned."""

    observed: float
    usual: float


class RatioLevel:
    """Observed / usual with one half-life.

    Args:
        half_life: minutes.
    """

    __slots__ = ("_fading", "_observed", "_prior", "_usual", "seen")

    def __init__(self, half_life: float) -> None:
        self._fading = fading(half_life)
        self._prior = PRIOR_EVENTS * self._fading
        self._observed, self._usual = stats.EWMean(self._fading), stats.EWMean(self._fading)
        self.seen = False

    def get(self) -> float:
        """The ratio, 1 at the start."""
        if not self.seen:
            return 1.0
        return float((self._observed.get() + self._prior) / (self._usual.get() + self._prior))

    def learn(self, observed: float, usual: float) -> None:
        """Add one minute; the first only sets the scale (ratio 1)."""
        self._observed.update(observed if self.seen else usual)
        self._usual.update(usual)
        self.seen = True

    def anchor(self, ratio: float) -> None:
        """Make ``ratio`` the new normal."""
        usual = self._usual.get()
        self._set(max(0.0, ratio * (usual + self._prior) - self._prior), usual)

    def encode(self) -> RatioState:
        """The whole state as plain values."""
        return RatioState(self._observed.get(), self._usual.get()) if self.seen else RatioState(-1.0, -1.0)

    def restore(self, state: RatioState) -> None:
        """Take over a state made by ``encode``."""
        if state.usual >= 0.0:
            self._set(state.observed, state.usual)

    def _set(self, observed: float, usual: float) -> None:
        self._observed, self._usual = stats.EWMean(self._fading), stats.EWMean(self._fading)
        self._observed.update(observed)
        self._usual.update(usual)
        self.seen = True
