"""Incidents, as series: which are open, and what was written to ``alerts``.

Rules: an incident has one sample while it is open and none afterwards; a process shows the incidents of the series it
watches, and drops them when it has no partition any more.
"""

from collections import Counter
from collections.abc import Iterable

from tamis.records.alert import Alert
from tamis.records.topics import Topic
from tamis.telemetry import catalogue
from tamis.telemetry.series import Shelf

_CLOSED = "closed"


class IncidentTelemetry:
    """The anomaly role.

    Args:
        shelf: the process's series.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._open: dict[int, dict[str, Alert]] = {}
        self._show()

    def alerts_written(self, partition: int, alerts: Iterable[Alert]) -> None:
        """A batch of ``metrics.windows`` is committed that wrote these to ``alerts``, in order."""
        mine = self._open.setdefault(partition, {})
        for alert in alerts:
            self._shelf[catalogue.ALERTS].of(alert.state).inc()
            self._note(mine, alert)
        self._show()

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


def _labels(alert: Alert) -> tuple[str, ...]:
    site, _, rule = alert.series.rpartition("/")
    return site, rule, alert.kind, alert.severity, alert.owner
