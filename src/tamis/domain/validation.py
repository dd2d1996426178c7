"""How bad it is what is wrong with an event, and what follows.

Rules: the severity of a violation is the rule's, else the policy's, else the default of its kind; one ERROR refuses the
event, and its leaf and quarantine entry name the first; everything found is told. An event that falls under no rule is
a violation only when it was tracked: pages and identities need no plan.
Not handled here: what a rule's schema demands (``domain.property_schema``), counting (``domain.noted``).
"""

from collections.abc import Mapping

import msgspec

from tamis.domain.event import Event, Invalid, Kind
from tamis.domain.outcome import Outcome
from tamis.domain.quarantine import Fault
from tamis.domain.rules import CompiledRule
from tamis.domain.standing import NO_DESTINATIONS, Standing, facts_of_nobody
from tamis.domain.violations import DEFAULTS, Check, Severity, ViolationKind, no_violations

DEFAULT_LATE_MS = 72 * 3_600_000
TIME_PATH = "$.timestamp"
_TRACK = Kind.TRACK.value
_ERROR = Severity.ERROR.value
Faults = tuple[Fault, ...]
NO_FAULTS: Faults = ()


class Validator(msgspec.Struct, frozen=True):
    """The checks of events under one rule, or under none.

    Attributes:
        check: of the properties.
        severities: kind of violation -> severity.
        late_ms: older events are late.
        unplanned: the violation of a tracked event that falls under no rule; empty for a rule.
        idle: only lateness can be wrong.
    """

    check: Check
    severities: Mapping[str, str]
    late_ms: int
    unplanned: Faults = NO_FAULTS
    idle: bool = True

    def faults(self, event: Event, age_ms: int) -> Faults:
        """Everything wrong with an event that was received ``age_ms`` after it happened."""
        found = self.unplanned if event.kind == _TRACK else NO_FAULTS
        wrong = self.check(event)
        if wrong:
            severities = self.severities
            found += tuple([Fault(each.kind.value, each.path, severities[each.kind]) for each in wrong])
        if age_ms > self.late_ms:
            found += (self._fault(ViolationKind.LATE, TIME_PATH),)
        return found

    def over_cap(self) -> Faults:
        """The violation of an event beyond the rule's cap."""
        return (self._fault(ViolationKind.OVER_CAP, "$"),)

    def _fault(self, kind: ViolationKind, path: str) -> Fault:
        return Fault(kind.value, path, self.severities[kind])


def validator(compiled: CompiledRule | None, policy: Mapping[str, str], late_ms: int) -> Validator:
    """The checks of a rule, or of events without one.

    Args:
        compiled: the rule.
        policy: severities of the policy.
        late_ms: how late events may be for all destinations of the rule; 0 when it has none.
    """
    own = {} if compiled is None else compiled.rule.violations
    severities = {**DEFAULTS, **policy, **own}
    unplanned = Fault(ViolationKind.UNPLANNED.value, "$.event", severities[ViolationKind.UNPLANNED])
    late_ms = late_ms or DEFAULT_LATE_MS
    if compiled is None:
        return Validator(no_violations, severities, late_ms, (unplanned,), idle=False)
    return Validator(compiled.check, severities, late_ms, idle=compiled.check is no_violations)


def refusal(faults: Faults) -> Invalid | None:
    """Why an event is refused; None when it may go on."""
    for fault in faults:
        if fault.severity == _ERROR:
            return Invalid(fault.kind, fault.path)
    return None


def refused(reason: str) -> Standing:
    """The standing of an event refused for ``reason``: it goes nowhere, and its leaf says nothing of anybody."""
    return Standing(
        outcome=Outcome.INVALID.value, reason=reason, sends=(), since=0, until=0, now_since=0, now_until=0,
        max_lateness_ms=0, destinations=NO_DESTINATIONS, facts=facts_of_nobody(Outcome.INVALID.value),
        revisions='"rev":{},"rule":"',
    )  # fmt: skip


FROM_THE_FUTURE: Faults = (Fault(ViolationKind.FUTURE.value, TIME_PATH, _ERROR),)
"""Of an event too far ahead of its receipt."""

REFUSED: Mapping[str, Standing] = {kind.value: refused(kind.value) for kind in ViolationKind}
"""Kind of violation -> standing."""
