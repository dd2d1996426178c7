"""A gauge that shows how far the slowest of several clocks is behind now, computed when it is scraped.

Rules: what stands still is seen to stand still even when nobody calls; without any clock nothing is known, which is
infinitely far behind when ``unknown`` says so and 0 otherwise; never below 0.
"""

from collections.abc import Callable, Collection
from math import inf

from tamis.telemetry.series import Series, Shelf


class Slowest:
    """The clocks behind one unlabelled gauge.

    Args:
        shelf: where the gauge is.
        series: the gauge, in seconds.
        now: ms; called from the endpoint's thread too.
        unknown: seconds shown while there is no clock.
    """

    def __init__(self, shelf: Shelf, series: Series, now: Callable[[], int], unknown: float = 0.0) -> None:
        self._now = now
        self._unknown = unknown
        self._clocks: dict[int, int] = {}
        self._oldest: int | None = None
        shelf[series].metric.set_function(self.behind_s)

    def seen(self, key: int, clock: int | None) -> None:
        """Clock ``key`` shows ``clock`` (ms); None: it is not known."""
        if clock is None:
            self._clocks.pop(key, None)
        else:
            self._clocks[key] = clock
        self._oldest = min(self._clocks.values(), default=None)

    def keep(self, keys: Collection[int]) -> None:
        """Forget all other clocks."""
        self._clocks = {key: clock for key, clock in self._clocks.items() if key in keys}
        self._oldest = min(self._clocks.values(), default=None)

    def behind_s(self) -> float:
        """Seconds between the oldest clock and now."""
        oldest = self._oldest
        if oldest is None:
            return self._unknown
        return inf if oldest < 0 else max(0.0, (self._now() - oldest) / 1000)
