"""The state of a running demo as its views show it: plain numbers, taken over a few times a second.

Rules: no clock and no output here: the caller says what time it is; what is taken over is copied, so a view never sees
a number change while it draws. The ledger check is exact: what came in is what has an outcome plus what still waits.
"""

from collections import Counter, deque
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from tamis.demo.ledger import OUTCOMES, DemoLedger
from tamis.demo.producer import Produced
from tamis.demo.traffic.plan import MINUTE_MS, Plan
from tamis.records.alert import Alert

RATE_SECONDS = 4.0


class Incident(NamedTuple):
    """One incident, by the newest record about it.

    Attributes:
        alert: the newest record.
        open: whether it still lasts.
    """

    alert: Alert
    open: bool


class DemoState:
    """What the views read.

    Attributes:
        plan: the run.
        folder: where the outputs are.
        elapsed_s: wall seconds since traffic began.
        at_ms: simulated time reached.
        incoming: events produced.
        statements: consent statements produced.
        outcomes: events by outcome.
        reasons: events by (outcome, reason).
        leaves: audit leaves read back.
        records: records read back, by topic.
        gate: why intake pauses, None while it runs.
        consent_age_s: age of the consent view in simulated seconds, where the caller knows it.
        done: nothing more is produced.
    """

    def __init__(self, plan: Plan, folder: Path, began_s: float) -> None:
        self.plan = plan
        self.folder = folder
        self.elapsed_s = 0.0
        self.at_ms = plan.start_ms
        self.incoming = self.statements = self.leaves = 0
        self.outcomes: Counter[str] = Counter()
        self.reasons: Counter[tuple[str, str]] = Counter()
        self.records: dict[str, int] = {}
        self.gate: str | None = None
        self.consent_age_s: float | None = None
        self.done = False
        self._began_s = began_s
        self._alerts: dict[str, Alert] = {}
        self._recent: deque[tuple[float, int]] = deque([(began_s, 0)])

    def take(
        self, produced: Produced, ledger: DemoLedger, gate: str | None, now_s: float, consent_age_s: float | None = None
    ) -> None:
        """Takes the numbers over.

        Args:
            produced: what the producer wrote.
            ledger: what was decided and read back.
            gate: why intake pauses, or None.
            now_s: wall time on the clock that ``began_s`` came from.
            consent_age_s: simulated seconds, None when not known.
        """
        self.elapsed_s = now_s - self._began_s
        self.at_ms = max(self.at_ms, produced.at_ms)
        self.incoming, self.statements, self.done = produced.events, produced.statements, produced.done
        self.outcomes, self.reasons = Counter(ledger.outcomes), Counter(ledger.reasons)
        self.leaves, self.records = ledger.leaves, dict(ledger.records)
        self.gate, self.consent_age_s = gate, consent_age_s
        self._alerts = {alert.id: alert for alert in list(ledger.alerts)}
        self._recent.append((now_s, self.decided))
        while len(self._recent) > 2 and now_s - self._recent[0][0] > RATE_SECONDS:  # noqa: PLR2004 - two make a slope
            self._recent.popleft()

    @property
    def decided(self) -> int:
        """Events with an outcome."""
        return sum(self.outcomes[outcome] for outcome in OUTCOMES)

    @property
    def waiting(self) -> int:
        """Events produced that have no outcome yet."""
        return self.incoming - self.decided

    @property
    def rate(self) -> float:
        """Events decided per wall second, over the last seconds."""
        (first_s, first), (last_s, last) = self._recent[0], self._recent[-1]
        return (last - first) / (last_s - first_s) if last_s > first_s else 0.0

    @property
    def speed(self) -> float:
        """How many times faster than real simulated time passes."""
        return (self.at_ms - self.plan.start_ms) / 1000 / self.elapsed_s if self.elapsed_s > 0 else 0.0

    @property
    def progress(self) -> float:
        """Share of the traffic that was produced, 0..1, by simulated time."""
        return (
            1.0
            if self.done
            else min(1.0, (self.at_ms - self.plan.start_ms) / max(1, self.plan.end_ms - self.plan.start_ms))
        )

    @property
    def incidents(self) -> list[Incident]:
        """All incidents, oldest first."""
        found = sorted(self._alerts.values(), key=lambda alert: (alert.opened_at, alert.id))
        return [Incident(alert, alert.state != "closed") for alert in found]

    @property
    def balanced(self) -> bool:
        """Whether the books are right: no more outcomes than events, no more leaves than outcomes."""
        return self.waiting >= 0 and self.leaves <= self.decided

    @property
    def fault_text(self) -> str:
        """What the demo itself is doing to the traffic, in words."""
        fault = self.plan.fault
        if fault is None:
            return "the tagging of every rule is healthy in this run"
        what = f"{fault.site.partition('.')[0]}/{fault.rule}"
        if self.at_ms < fault.begins_ms:
            return f"the tag of {what} will break at {clock(fault.begins_ms)}"
        if self.at_ms < fault.ends_ms:
            return f"the tag of {what} is broken since {clock(fault.begins_ms)}"
        return f"the tag of {what} was broken {clock(fault.begins_ms)} to {clock(fault.ends_ms)}, now repaired"


def clock(at_ms: int) -> str:
    """Simulated time of day."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%H:%M")


def minutes_between(first_ms: int, last_ms: int) -> int:
    """Whole simulated minutes."""
    return round((last_ms - first_ms) / MINUTE_MS)
