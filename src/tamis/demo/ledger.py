"""What the demo counts while it runs: the numbers of its view and of its summary.

Rules: counts are of events; ``in`` is what the generator says it sent, everything else is what the outputs say; written
from the event loop and from the sinks' thread, each field by one of them.
"""

from collections import Counter

import msgspec

from tamis.domain.audit.report import LogReport
from tamis.domain.outcome import HeldOutcome, Outcome
from tamis.kafka.reader import TopicRecord
from tamis.records.alert import Alert
from tamis.records.batch import Emissions
from tamis.records.topics import Topic
from tamis.release import Released
from tamis.services.audit_check import is_head

OUTCOMES = ("accepted", "denied", "held", "duplicate", "conflict", "invalid")
_alert = msgspec.json.Decoder(Alert).decode


class Summary(msgspec.Struct, kw_only=True):
    """The last line of ``tamis demo --json``; every count is of events but ``alerts`` (incidents opened).

    ``incoming`` is written as ``in``. ``held`` = ``held_released`` + ``held_denied`` + ``held_pending``.
    """

    incoming: int = msgspec.field(name="in")
    accepted: int
    denied: int
    held: int
    duplicate: int
    conflict: int
    invalid: int
    audit_leaves: int
    audit_verified: bool
    alerts: int
    events_per_s: float
    held_released: int = 0
    held_denied: int = 0
    held_pending: int = 0

    def balanced(self) -> bool:
        """In = the sum of the outcomes = the leaves, and no more was released or denied later than had been held."""
        total = self.accepted + self.denied + self.held + self.duplicate + self.conflict + self.invalid
        return self.incoming == total == self.audit_leaves and self.held_pending >= 0


class DemoLedger:
    """Counts of one run; an ``IntakeObserver``, a ``ReleaseObserver`` and the sinks' listener.

    Attributes:
        decided_events: decided and committed.
        outcomes: by outcome.
        reasons: by (outcome, reason).
        leaves: read back from the audit log.
        records: read back, by topic.
        alerts: every alert record, in order.
        later: held events decided again, by outcome.
    """

    def __init__(self) -> None:
        self.decided_events = 0
        self.outcomes: Counter[str] = Counter()
        self.reasons: Counter[tuple[str, str]] = Counter()
        self.leaves = 0
        self.records: Counter[str] = Counter()
        self.alerts: list[Alert] = []
        self.later: Counter[str] = Counter()

    def decided(self, partition: int, emissions: Emissions) -> None:
        """See ``streaming.agents.intake.IntakeObserver``."""
        del partition
        self.decided_events += len(emissions.leaves)
        for (_, _, _, outcome, reason, _), sums in emissions.tally.groups.items():
            self.outcomes[outcome] += sums.n
            self.reasons[outcome, reason] += sums.n

    def released(self, topic: str, partition: int, found: Released) -> None:
        """See ``streaming.agents.release.ReleaseObserver``."""
        del topic, partition
        for (outcome, _), n in found.fates.items():
            self.later[outcome] += n

    def remembered(self, partition: int, ids: int, size_bytes: int, window_s: int) -> None:
        """See ``streaming.agents.sightings.SightingsObserver``: nothing to show."""

    def seen(self, topic: str, records: list[TopicRecord]) -> None:
        """Records of an output topic were written to disk."""
        self.records[topic] += len(records)
        if topic == Topic.AUDIT_LOG:
            self.leaves += sum(not is_head(record) for record in records)
        elif topic == Topic.ALERTS:
            self.alerts += [_alert(record.value) for record in records if record.value]

    def opened(self) -> int:
        """Incidents opened so far."""
        return len({alert.id for alert in self.alerts if alert.state == "open"})

    def summary(self, incoming: int, seconds: float, reports: list[LogReport]) -> Summary:
        """The run in numbers; outcomes and leaves are those found in the sealed audit logs on disk."""
        logs = [report for report in reports if f"/{Topic.AUDIT_LOG}/" in report.log]
        later = [report for report in reports if f"/{Topic.AUDIT_LOG}" not in report.log]
        held = _total(logs, Outcome.HELD)
        released, denied = (_total(later, outcome) for outcome in (HeldOutcome.RELEASED, HeldOutcome.DENIED))
        return Summary(
            incoming=incoming,
            **{outcome: _total(logs, outcome) for outcome in OUTCOMES},
            audit_leaves=sum(report.leaves for report in logs),
            audit_verified=bool(logs) and all(report.ok and report.sealed is not None for report in reports),
            alerts=self.opened(),
            events_per_s=round(self.decided_events / max(seconds, 1e-9), 1),
            held_released=released,
            held_denied=denied,
            held_pending=held - released - denied,
        )


def _total(reports: list[LogReport], outcome: str) -> int:
    return sum(report.outcomes.get(outcome, 0) for report in reports)
