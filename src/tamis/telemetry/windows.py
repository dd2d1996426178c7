"""Closed minutes and how far the sources are, as series: implements ``WindowsObserver`` of the window agent.

Rules: lags are computed when they are scraped, because the window agent is not called while its sources stand still,
which is just when somebody wants to know. A source partition is shown by every process that knows it, so the least of
them is the truth.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

from tamis.records.metrics import Closing, MinuteClosed
from tamis.records.topics import Topic
from tamis.telemetry import catalogue, counts_series
from tamis.telemetry.counts import MOST_LABEL_VALUES
from tamis.telemetry.series import Shelf
from tamis.telemetry.shown_series import ShownSeries
from tamis.telemetry.slowest import Slowest

_MINUTE_MS = 60_000


class SourceClocks(Protocol):
    """What is asked of the window agent's state: see ``metrics.windows.WindowState``."""

    @property
    def closed(self) -> int | None:
        """Last closed minute."""

    def lag_ms(self, now_ms: int) -> Mapping[str, int]:
        """How far each source is behind."""


class WindowsTelemetry:
    """The metrics role.

    Args:
        shelf: the process's series.
        now: ms, the time of the sources.
        most: series shown one by one.
    """

    def __init__(self, shelf: Shelf, now: Callable[[], int], most: int = MOST_LABEL_VALUES) -> None:
        self._now = now
        self._source_lags = shelf[counts_series.SOURCE_LAG]
        self._clocks: dict[tuple[str, str], int] = {}
        self._series = ShownSeries(shelf, most)
        self._sources = Slowest(shelf, catalogue.WATERMARK_LAG, now)
        self._minutes = Slowest(shelf, catalogue.WINDOWS_BEHIND, now)
        self._closed = shelf[catalogue.MINUTES].of()
        self._windows = shelf[catalogue.WINDOWS_CLOSED].of()
        self._events = shelf[catalogue.WINDOW_EVENTS].of()

    def windows_closed(self, partition: int, closed: Sequence[Closing], state: SourceClocks) -> None:
        """See ``WindowsObserver.windows_closed``."""
        ends = [each for each in closed if isinstance(each, MinuteClosed)]
        self._closed.inc(len(ends))
        self._windows.inc(len(closed) - len(ends))
        self._events.inc(sum(each.n for each in ends))
        now = self._now()
        lags = state.lag_ms(now)
        self._series.closed(partition, closed)
        for source, lag in lags.items():
            self._source(source, now - lag)
        self._sources.seen(partition, now - max(lags.values()) if lags else None)
        minute = state.closed
        self._minutes.seen(partition, None if minute is None else (minute + 1) * _MINUTE_MS)

    def owns(self, owned: dict[str, set[int]]) -> None:
        """Partitions by topic that this process has now."""
        mine = owned.get(Topic.METRICS_PARTIALS.value, ())
        self._sources.keep(mine)
        self._minutes.keep(mine)
        self._series.keep(mine)
        if not mine:
            self._clocks.clear()
            self._source_lags.show_only(())

    def _source(self, source: str, clock: int) -> None:
        topic, _, number = source.rpartition("/")
        place = topic, number
        if place not in self._clocks:
            self._source_lags.of(*place).set_function(partial(self._source_lag_s, place))
        self._clocks[place] = max(clock, self._clocks.get(place, clock))

    def _source_lag_s(self, place: tuple[str, str]) -> float:
        clock = self._clocks.get(place)
        return 0.0 if clock is None else max(0.0, (self._now() - clock) / 1000)
