"""The last closed minute of the most frequent series, one sample each.

Rules: a series that had no event in the last closed minute of its partition shows 0; series that are less frequent than
those shown are not shown at all, and the events of their minutes are counted as capped.
"""

from collections.abc import Collection, Sequence

from tamis.domain.counts.sketch import estimate
from tamis.domain.counts.top import TopValues
from tamis.records.metrics import Closing, MinuteClosed, Window, arrivals
from tamis.telemetry import counts_series
from tamis.telemetry.series import Shelf


class ShownSeries:
    """Shows them.

    Args:
        shelf: the process's series.
        most: series at a time.
    """

    __slots__ = ("_capped", "_events", "_subjects", "_top", "_where")

    def __init__(self, shelf: Shelf, most: int) -> None:
        self._events = shelf[counts_series.SERIES_EVENTS]
        self._subjects = shelf[counts_series.SERIES_SUBJECTS]
        self._capped = shelf[counts_series.LABEL_CAPPED].of("series")
        self._top = TopValues(most)
        self._where: dict[str, int] = {}

    def closed(self, partition: int, closed: Sequence[Closing]) -> None:
        """A batch of a metrics partition closed these."""
        last = max((each.minute for each in closed if isinstance(each, MinuteClosed)), default=None)
        if last is None:
            return
        windows = [each for each in closed if isinstance(each, Window)]
        for window in windows:
            self._saw(window, partition)
        now = {window.series: window for window in windows if window.minute == last}
        for series, place in self._where.items():
            if place == partition:
                self._show(series, now.get(series))

    def keep(self, partitions: Collection[int]) -> None:
        """Only series of these partitions are shown any longer."""
        for series in [series for series, place in self._where.items() if place not in partitions]:
            self._hide(series)

    def _saw(self, window: Window, partition: int) -> None:
        n = arrivals(window.cells)
        gone = self._top.saw(window.series, n)
        if gone is not None:
            self._hide(gone)
        if window.series in self._top:
            self._where[window.series] = partition
        else:
            self._capped.inc(n)

    def _show(self, series: str, window: Window | None) -> None:
        site, _, rule = series.rpartition("/")
        self._events.of(site, rule).set(0 if window is None else arrivals(window.cells))
        self._subjects.of(site, rule).set(0 if window is None else estimate(window.subjects))

    def _hide(self, series: str) -> None:
        if self._where.pop(series, None) is not None:
            site, _, rule = series.rpartition("/")
            self._events.drop(site, rule)
            self._subjects.drop(site, rule)
