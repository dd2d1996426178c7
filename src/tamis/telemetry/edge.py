"""The streaming edge of one role, as series and as log lines: implements ``TransportObserver`` of the transport.

Rules: called a few times per batch, never per record; what was known of partitions that went to another worker is
dropped when a generation begins; the gate and the partitions are logged when they change.
"""

from collections.abc import Callable, Sequence

import structlog

from tamis.telemetry import catalogue
from tamis.telemetry.series import OTHER, Shelf

Kept = Callable[[dict[str, set[int]]], None]


class EdgeTelemetry:
    """One role's app.

    Args:
        shelf: the process's series.
        role: of the app.
        prefix: what all topic names begin with, cut off before they become labels.

    Attributes:
        on_batch: called with topic, partition and number of records of each committed batch.
        on_lag: called with topic, partition and lag after a commit.
        on_owned: called with the owned partitions by topic when a generation begins.
    """

    def __init__(self, shelf: Shelf, role: str, prefix: str) -> None:
        self.on_batch: list[Callable[[str, int, int], None]] = []
        self.on_lag: list[Callable[[str, int, int], None]] = []
        self.on_owned: list[Kept] = []
        self._shelf = shelf
        self._role = role
        self._prefix = prefix
        self._lag: dict[tuple[str, int], int] = {}
        self._topics: set[str] = set()
        self._log = structlog.get_logger("tamis.edge")
        shelf[catalogue.GENERATIONS].of(role)

    def batch_committed(self, topic: str, partition: int, n: int, batch_s: float, tx_s: float) -> None:
        """See ``TransportObserver.batch_committed``."""
        shelf, role, topic = self._shelf, self._role, topic.removeprefix(self._prefix)
        shelf[catalogue.BATCHES].of(role, topic).inc()
        shelf[catalogue.RECORDS].of(role, topic).inc(n)
        shelf[catalogue.BATCH_SECONDS].of(role, topic).observe(batch_s)
        shelf[catalogue.TRANSACTION_SECONDS].of(role, topic).observe(tx_s)
        for told in self.on_batch:
            told(topic, partition, n)

    def lag(self, topic: str, partition: int, lag: int) -> None:
        """See ``TransportObserver.lag``."""
        topic = topic.removeprefix(self._prefix)
        was = self._lag.get((topic, partition), 0)
        self._lag[topic, partition] = lag
        self._shelf[catalogue.LAG].of(self._role, topic).inc(lag - was)
        for told in self.on_lag:
            told(topic, partition, lag)

    def gate(self, topic: str, reason: str | None) -> None:
        """See ``TransportObserver.gate``."""
        self._log.info("gate closed" if reason else "gate opened", role=self._role, topic=topic, reason=reason)
        if self._role != "release":  # the same gate, shown by intake
            self._show_gate(reason)

    def epoch(self, generation: int, partitions: Sequence[tuple[str, int]]) -> None:
        """See ``TransportObserver.epoch``."""
        owned: dict[str, set[int]] = {}
        for topic, partition in partitions:
            owned.setdefault(topic.removeprefix(self._prefix), set()).add(partition)
        self._shelf[catalogue.GENERATIONS].of(self._role).inc()
        self._show_owned(owned)
        if self._role == "intake":
            self._show_gate(None)  # the new generation tells when it is closed
        for told in self.on_owned:
            told(owned)
        shown = {topic: sorted(numbers) for topic, numbers in owned.items()}
        self._log.info("partitions assigned", role=self._role, generation=generation, partitions=str(shown))

    def fatal(self, kind: str) -> None:
        """See ``TransportObserver.fatal``."""
        self._shelf[catalogue.FATAL].of(kind).inc()

    def _show_gate(self, reason: str | None) -> None:
        shown = reason if reason is None or reason in catalogue.GATE_REASONS else OTHER
        for each in (*catalogue.GATE_REASONS, OTHER):
            self._shelf[catalogue.GATE].of(each).set(each == shown)

    def _show_owned(self, owned: dict[str, set[int]]) -> None:
        self._lag = {place: lag for place, lag in self._lag.items() if place[1] in owned.get(place[0], ())}
        self._topics |= owned.keys()
        for topic in self._topics:
            lag = sum(lag for (name, _), lag in self._lag.items() if name == topic)
            self._shelf[catalogue.PARTITIONS].of(self._role, topic).set(len(owned.get(topic, ())))
            self._shelf[catalogue.LAG].of(self._role, topic).set(lag)
