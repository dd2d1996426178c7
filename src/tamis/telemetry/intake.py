"""What became of events, as series: implements ``IntakeObserver`` of the intake agent.

Rules: called once a batch, after its commit, so a counter never counts what was not committed; the residual compares
three counts that are made in different places: records (transport), leaves (audit) and outcomes (tally).
"""

from collections.abc import Callable

from tamis.domain.differences import Differences
from tamis.domain.outcome import Outcome
from tamis.domain.tally import NO_RULE
from tamis.records.batch import Emissions
from tamis.records.topics import Topic
from tamis.telemetry import catalogue, held_series, rules_series
from tamis.telemetry.counts import MOST_LABEL_VALUES, CountsTelemetry
from tamis.telemetry.series import Shelf
from tamis.telemetry.slowest import Slowest
from tamis.telemetry.validation import ValidationTelemetry

_QUARANTINED = frozenset({Outcome.INVALID.value, Outcome.CONFLICT.value})
_RAW = Topic.EVENTS_RAW.value


class IntakeTelemetry:
    """The intake role.

    Args:
        shelf: the process's series.
        now: ms, the time events are judged at.
        most: values at a time of labels that are no closed set.
    """

    def __init__(self, shelf: Shelf, now: Callable[[], int], most: int = MOST_LABEL_VALUES) -> None:
        self._shelf = shelf
        self._counts = CountsTelemetry(shelf, most)
        self._behind = Slowest(shelf, catalogue.INTAKE_BEHIND, now)
        self._leaves_of: dict[int, int] = {}
        self._events = shelf[catalogue.EVENTS]
        self._rules = shelf[catalogue.RULE_EVENTS]
        self._quarantined = shelf[catalogue.QUARANTINED]
        self._leaves = shelf[catalogue.LEAVES].of()
        self._residual = shelf[catalogue.RESIDUAL].of()
        self._remembered: dict[int, tuple[int, int, int]] = {}
        self._ids = shelf[catalogue.REMEMBERED_IDS].of()
        self._bytes = shelf[catalogue.REMEMBERED_BYTES].of()
        self._window = shelf[catalogue.REMEMBERED_WINDOW].of()
        self._sights = shelf[held_series.FIRST_SIGHTS].of()
        self._compared = shelf[rules_series.SHADOW_EVENTS].of()
        self._differences = shelf[rules_series.SHADOW_DIFFERENCES]
        self._validation = ValidationTelemetry(shelf)

    def decided(self, partition: int, emissions: Emissions) -> None:
        """See ``IntakeObserver.decided``."""
        fates: dict[tuple[str, str], int] = {}
        rules: dict[tuple[str, str, str], int] = {}
        for (site, rule, _, outcome, reason, _), sums in emissions.tally.groups.items():
            fates[outcome, reason] = fates.get((outcome, reason), 0) + sums.n
            rules[rule, site, outcome] = rules.get((rule, site, outcome), 0) + sums.n
        for fate, count in fates.items():
            self._events.of(*fate).inc(count)
            if fate[0] in _QUARANTINED:
                self._quarantined.of(_RAW, fate[1]).inc(count)
        for place, count in rules.items():
            self._rules.of(*place).inc(count)
        self._counts.counted(emissions.tally)
        self._counts.sent(emissions.sent)
        leaves = len(emissions.leaves)
        self._leaves.inc(leaves)
        self._residual.inc(abs(leaves - sum(fates.values())))
        self._leaves_of[partition] = leaves
        self._sights.inc(len(emissions.keyed.get(Topic.CONSENT_CHANGES, ())))
        if emissions.differences is not None:
            self._differ(emissions.differences)
        self._validation.decided(emissions.violations, emissions.bots)
        self._behind.seen(partition, emissions.watermark)

    def _differ(self, found: Differences) -> None:
        self._compared.inc(found.events)
        for change, n in found.changes.items():
            rule, other = change.rule or NO_RULE, change.candidate_rule or NO_RULE
            place = change.destination or NO_RULE
            self._differences.of(rule, other, place, change.verdict, change.candidate_verdict).inc(n)

    def records_read(self, topic: str, partition: int, n: int) -> None:
        """A batch of ``n`` records is committed: each record gives at least one event (see ``EdgeTelemetry``)."""
        if topic == _RAW:
            self._residual.inc(max(0, n - self._leaves_of.pop(partition, 0)))

    def remembered(self, partition: int, ids: int, size_bytes: int, window_s: int) -> None:
        """See ``SightingsObserver.remembered``."""
        self._remembered[partition] = ids, size_bytes, window_s
        self._show_remembered()

    def _show_remembered(self) -> None:
        held = self._remembered.values()
        self._ids.set(sum(each[0] for each in held))
        self._bytes.set(sum(each[1] for each in held))
        self._window.set(min((each[2] for each in held), default=0))

    def owns(self, owned: dict[str, set[int]]) -> None:
        """Partitions by topic that this process has now."""
        self._leaves_of.clear()
        mine = owned.get(_RAW, set())
        self._behind.keep(mine)
        self._remembered = {partition: held for partition, held in self._remembered.items() if partition in mine}
        self._show_remembered()
