"""What became of events, as series: implements ``IntakeObserver`` of the intake agent.

Rules: called once a batch, after its commit, so a counter never counts what was not committed; the residual compares
three counts that are made in different places: records (transport), leaves (audit) and outcomes (tally).
"""

from collections.abc import Callable

from tamis.domain.outcome import Outcome
from tamis.intake import Emissions
from tamis.records.topics import Topic
from tamis.telemetry import catalogue
from tamis.telemetry.series import Shelf
from tamis.telemetry.slowest import Slowest

_INVALID = Outcome.INVALID.value
_RAW = Topic.EVENTS_RAW.value


class IntakeTelemetry:
    """The intake role.

    Args:
        shelf: the process's series.
        now: ms, the time events are judged at.
    """

    def __init__(self, shelf: Shelf, now: Callable[[], int]) -> None:
        self._shelf = shelf
        self._behind = Slowest(shelf, catalogue.INTAKE_BEHIND, now)
        self._leaves_of: dict[int, int] = {}
        self._events = shelf[catalogue.EVENTS]
        self._rules = shelf[catalogue.RULE_EVENTS]
        self._quarantined = shelf[catalogue.QUARANTINED]
        self._leaves = shelf[catalogue.LEAVES].of()
        self._residual = shelf[catalogue.RESIDUAL].of()

    def decided(self, partition: int, emissions: Emissions) -> None:
        """See ``IntakeObserver.decided``."""
        fates: dict[tuple[str, str], int] = {}
        rules: dict[tuple[str, str, str], int] = {}
        for (site, rule, _, outcome, reason), (n, _) in emissions.tally.groups.items():
            fates[outcome, reason] = fates.get((outcome, reason), 0) + int(n)
            rules[rule, site, outcome] = rules.get((rule, site, outcome), 0) + int(n)
        for fate, count in fates.items():
            self._events.of(*fate).inc(count)
            if fate[0] == _INVALID:
                self._quarantined.of(_RAW, fate[1]).inc(count)
        for place, count in rules.items():
            self._rules.of(*place).inc(count)
        leaves = len(emissions.leaves)
        self._leaves.inc(leaves)
        self._residual.inc(abs(leaves - sum(fates.values())))
        self._leaves_of[partition] = leaves
        self._behind.seen(partition, emissions.watermark)

    def records_read(self, topic: str, partition: int, n: int) -> None:
        """A batch of ``n`` records is committed: each record gives at least one event (see ``EdgeTelemetry``)."""
        if topic == _RAW:
            self._residual.inc(max(0, n - self._leaves_of.pop(partition, 0)))

    def owns(self, owned: dict[str, set[int]]) -> None:
        """Partitions by topic that this process has now."""
        self._leaves_of.clear()
        self._behind.keep(owned.get(_RAW, ()))
