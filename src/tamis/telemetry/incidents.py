"""Incidents, as series: which are open, and what was written to ``alerts``.

Rules: an incident has one sample while it is open and none afterwards; a process shows the incidents of the series it
watches, and drops them when it has no partition any more. How long one is open is computed when it is scraped.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial

from tamis.records.alert import Alert
from tamis.records.topics import Topic
from tamis.telemetry import catalogue, counts_series
from tamis.telemetry.bands import Band, BandTelemetry
from tamis.telemetry.counts import MOST_LABEL_VALUES
from tamis.telemetry.series import Shelf

_CLOSED = "closed"
_DURATION = re.compile(r"([1-9][0-9]{0,4})([mhd])")
_UNIT_S = {"m": 60, "h": 3_600, "d": 86_400}


class IncidentTelemetry:
    """The anomaly role.

    Args:
        shelf: the process's series.
        now: ms, the time of the windows; called from the endpoint's thread too.
        most: series whose band is shown.
    """

    def __init__(self, shelf: Shelf, now: Callable[[], int], most: int = MOST_LABEL_VALUES) -> None:
        self._shelf = shelf
        self._now = now
        self._bands = BandTelemetry(shelf, most)
        self._open: dict[int, dict[str, Alert]] = {}
        self._show()

    def alerts_written(self, partition: int, alerts: Iterable[Alert]) -> None:
        """A batch of ``metrics.windows`` is committed that wrote these to ``alerts``, in order."""
        mine = self._open.setdefault(partition, {})
        for alert in alerts:
            self._shelf[catalogue.ALERTS].of(alert.state).inc()
            self._note(mine, alert)
        self._show()

    def series_judged(self, partition: int, bands: Iterable[tuple[str, Band]]) -> None:
        """What the last minute of each watched series of a partition looks like."""
        self._bands.judged(partition, bands)

    def incidents_restored(self, partition: int, alerts: Iterable[Alert]) -> None:
        """The partition was taken over with these incidents, as read back from ``alerts``."""
        mine = self._open[partition] = {}
        for alert in alerts:
            self._note(mine, alert)
        self._show()

    def owns(self, owned: dict[str, set[int]]) -> None:
        """Partitions by topic that this process has now."""
        kept = owned.get(Topic.METRICS_WINDOWS.value, ())
        self._open = {partition: found for partition, found in self._open.items() if partition in kept}
        self._bands.keep(kept)
        self._show()

    @staticmethod
    def _note(mine: dict[str, Alert], alert: Alert) -> None:
        if alert.state == _CLOSED:
            mine.pop(alert.id, None)
        else:
            mine[alert.id] = alert

    def _show(self) -> None:
        found = [alert for mine in self._open.values() for alert in mine.values()]
        severities = Counter(alert.severity for alert in found)
        for severity in catalogue.SEVERITIES:
            self._shelf[catalogue.INCIDENTS_OPEN].of(severity).set(severities[severity])
        self._shelf[catalogue.INCIDENT].show_only(map(_labels, found))
        self._show_ages(found)

    def _show_ages(self, found: list[Alert]) -> None:
        """The oldest incident of a series and what its owner wants of it."""
        opened: dict[tuple[str, str, str], Alert] = {}
        for alert in sorted(found, key=lambda each: each.opened_at, reverse=True):
            opened[_series(alert)] = alert
        ages, limits = self._shelf[counts_series.INCIDENT_OPEN], self._shelf[counts_series.INCIDENT_SLA]
        ages.show_only(opened)
        limits.show_only(place for place, alert in opened.items() if _sla_s(alert.sla) is not None)
        for place, alert in opened.items():
            ages.of(*place).set_function(partial(self._open_s, alert.opened_at))
            limit = _sla_s(alert.sla)
            if limit is not None:
                limits.of(*place).set(limit)

    def _open_s(self, opened_at: int) -> float:
        return max(0.0, (self._now() - opened_at) / 1000)


def _series(alert: Alert) -> tuple[str, str, str]:
    site, _, rule = alert.series.rpartition("/")
    return site, rule, alert.owner


def _labels(alert: Alert) -> tuple[str, ...]:
    site, rule, owner = _series(alert)
    return site, rule, alert.kind, alert.severity, owner


def _sla_s(sla: str) -> int | None:
    """Seconds of a duration as rules have it, None for other text."""
    found = _DURATION.fullmatch(sla)
    return None if found is None else int(found[1]) * _UNIT_S[found[2]]
