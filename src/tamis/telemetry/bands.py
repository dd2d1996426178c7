"""What detectors expect of the most frequent series, beside what was observed (``shown_series``).

Rules: a series shows the band of its last judged minute; one about which nothing usual is known yet shows none, and an
upper bound only once rises are judged; series that are less frequent than those shown are not shown at all.
"""

from collections.abc import Collection, Iterable
from math import isfinite
from typing import Protocol

from tamis.domain.counts.top import TopValues
from tamis.telemetry import counts_series
from tamis.telemetry.series import Shelf


class Band(Protocol):
    """What is asked of a judgement: see ``anomaly.count_detector.Judgement``; counts are per minute."""

    @property
    def score(self) -> float:
        """0..1, 0.5 is the threshold."""

    @property
    def expected(self) -> float:
        """Events a minute."""

    @property
    def low(self) -> float:
        """Lower bound of what is usual."""

    @property
    def high(self) -> float:
        """Upper bound; infinite while nothing usual is known."""


class BandTelemetry:
    """Part of the anomaly role.

    Args:
        shelf: the process's series.
        most: series at a time.
    """

    __slots__ = ("_families", "_high", "_top", "_where")

    def __init__(self, shelf: Shelf, most: int) -> None:
        self._families = tuple(
            shelf[each]
            for each in (
                counts_series.SERIES_EXPECTED, counts_series.SERIES_LOW, counts_series.SERIES_SCORE,
            )
        )  # fmt: skip
        self._high = shelf[counts_series.SERIES_HIGH]
        self._top = TopValues(most)
        self._where: dict[str, int] = {}

    def judged(self, partition: int, bands: Iterable[tuple[str, Band]]) -> None:
        """The watched series of a partition were judged."""
        for series, band in bands:
            if band.expected <= 0.0 and band.low <= 0.0:
                continue
            gone = self._top.saw(series, max(1, round(band.expected)))
            if gone is not None:
                self._hide(gone)
            if series in self._top:
                self._where[series] = partition
                self._show(series, band)

    def keep(self, partitions: Collection[int]) -> None:
        """Only series of these partitions are shown any longer."""
        for series in [series for series, place in self._where.items() if place not in partitions]:
            self._hide(series)

    def _show(self, series: str, band: Band) -> None:
        site, _, rule = series.rpartition("/")
        for family, value in zip(self._families, (band.expected, band.low, band.score), strict=True):
            family.of(site, rule).set(value)
        if isfinite(band.high):
            self._high.of(site, rule).set(band.high)
        else:
            self._high.drop(site, rule)

    def _hide(self, series: str) -> None:
        if self._where.pop(series, None) is not None:
            site, _, rule = series.rpartition("/")
            for family in (*self._families, self._high):
                family.drop(site, rule)
