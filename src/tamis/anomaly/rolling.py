"""River's rolling mean with an explicit state, so that nothing is pickled.

Rules: a restored mean goes on to the last bit as the one it was taken from.
"""

from array import array

import msgspec
from river import stats, utils

from tamis.anomaly.packing import pack, unpack


class RollingState(msgspec.Struct, frozen=True, array_like=True):
    """The values in the window, packed, and the mean as it stands (rounding included)."""

    values: bytes
    mean: float


class RollingMean:
    """Mean of the last ``window`` values.

    Args:
        window: number of values.
    """

    __slots__ = ("_rolling",)

    def __init__(self, window: int) -> None:
        self._rolling = utils.Rolling(stats.Mean, window)

    def after(self, value: float) -> float:
        """The mean as it will be once ``value`` is learned."""
        rolling = self._rolling
        n, mean = float(len(rolling.window)), float(rolling.get())
        if n == rolling.window_size:
            return mean + (value - float(rolling.window[0][0][0])) / n
        return mean + (value - mean) / (n + 1)

    def learn(self, value: float) -> None:
        """Add one value."""
        self._rolling.update(value)

    def encode(self) -> RollingState:
        """The whole state as plain values."""
        values = array("d", [args[0] for args, _ in self._rolling.window])
        return RollingState(pack(values), float(self._rolling.get()))

    def restore(self, state: RollingState) -> None:
        """Take over a state made by ``encode``."""
        values = unpack("d", state.values, len(state.values) // 8)
        self._rolling = utils.Rolling(stats.Mean, self._rolling.window_size)
        self._rolling.window.extend(((value,), {}) for value in values)
        self._rolling.obj = stats.Mean._from_state(len(values), state.mean) if len(values) else stats.Mean()  # noqa: SLF001 -- River's own way to make a mean from its parts
