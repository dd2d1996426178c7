"""The decision: may this event, of this subject, go to which destinations, and why.

Rules, in order of strength: an event with no open destination is denied as such; a destination gets an event only when
every purpose it and the rule need is granted by the primary subject, not refused by the secondary one (the stricter of
person and device wins; an absent secondary record is silent), not forbidden inline, and when the event is not too late
for it. A malformed inline signal denies all. The decision is a pure function of (event, records, bundle, received_at).
"""

from tamis.domain.bundle import Bundle
from tamis.domain.consent.model import SubjectRecord
from tamis.domain.consent.verdict import FOREVER, Opinion, opinion
from tamis.domain.inline import Narrowing
from tamis.domain.outcome import Outcome, Reason
from tamis.domain.route import Leg, Route
from tamis.domain.standing import Send, Standing
from tamis.domain.subject import Subject

# Strongest first: the reason of a destination or event is its strongest one.
_STRENGTH = {
    reason: rank
    for rank, reason in enumerate(
        (
            Reason.ERASED, Reason.NO_SUBJECT, Reason.INLINE_MALFORMED, Reason.WITHDRAWN, Reason.DENIED,
            Reason.INLINE_DENIED, Reason.EXPIRED, Reason.NO_RECORD, Reason.NOT_YET, Reason.NO_CHOICE,
            Reason.UNKNOWN_PURPOSE, Reason.LATE, Reason.UNPLANNED, Reason.NOT_ROUTED, Reason.GRANTED,
        )
    )
}  # fmt: skip


def _strongest(reasons: list[Reason]) -> Reason:
    return min(reasons, key=_STRENGTH.__getitem__)


class _Span:
    """Narrows the span in which a decision holds while opinions are gathered."""

    __slots__ = ("facts", "now_until", "since", "until")

    def __init__(self) -> None:
        self.since, self.until, self.now_until = -FOREVER, FOREVER, FOREVER
        self.facts: dict[str, dict[str, str]] = {}

    def add(self, role: str, purpose: str, found: Opinion) -> Reason:
        self.since = max(self.since, found.since)
        self.until = min(self.until, found.until)
        self.now_until = min(self.now_until, found.now_until)
        self.facts.setdefault(role, {})[purpose] = found.facts
        return found.reason

    def text(self) -> str:
        roles = []
        for role, purposes in sorted(self.facts.items()):
            facts = ",".join([f'"{purpose}":[{fact}]' for purpose, fact in sorted(purposes.items())])
            roles.append(f'"{role}":{{{facts}}}')
        return '"facts":{' + ",".join(roles) + "},"


class Decider:
    """Decides for one bundle.

    Args:
        bundle: rules, destinations and policy.
    """

    __slots__ = ("_policy", "_purposes", "_regulation")

    def __init__(self, bundle: Bundle) -> None:
        self._policy = bundle.policy
        self._purposes = frozenset(bundle.policy.purposes)
        self._regulation = bundle.policy.regulation

    def standing(self, subject: Subject, route: Route, inline: Narrowing, occurred_at: int, now: int) -> Standing:
        """The decision for events of ``route`` by ``subject`` around these times (ms)."""
        span = _Span()
        reasons = [(leg, self._leg(leg, subject, inline, occurred_at, now, span)) for leg in route.legs]
        sends = tuple(self._send(subject, leg) for leg, reason in reasons if reason is Reason.GRANTED)
        outcome = Outcome.ACCEPTED if sends else Outcome.DENIED
        why = Reason.GRANTED if sends else _strongest([reason for _, reason in reasons] or [route.closed])
        verdicts = ",".join(f'"{leg.destination.id}":"{reason.value}"' for leg, reason in reasons)
        pid = f'"{subject.pid}"' if subject.pid else "null"
        return Standing(
            outcome=outcome.value,
            reason=why.value,
            sends=sends,
            since=span.since,
            until=span.until,
            now_until=span.now_until,
            max_lateness_ms=route.max_lateness_ms,
            destinations=f'"dest":{{{verdicts}}}',
            facts=f'{span.text()}"inline":"{inline.text}","out":"{outcome.value}","pid":{pid},',
            revisions=f'"rev":{{{_revisions(subject)}}},"rule":"',
        )

    def _leg(self, leg: Leg, subject: Subject, inline: Narrowing, occurred_at: int, now: int, span: _Span) -> Reason:
        if now - occurred_at > leg.destination.max_lateness_ms:
            return Reason.LATE
        return _strongest([self._purpose(p, leg, subject, inline, occurred_at, now, span) for p in leg.purposes])

    def _purpose(
        self, purpose: str, leg: Leg, subject: Subject, inline: Narrowing, occurred_at: int, now: int, span: _Span
    ) -> Reason:
        if inline.malformed:
            return Reason.INLINE_MALFORMED
        if not subject.roles:
            return Reason.NO_SUBJECT
        if purpose not in self._purposes:
            return Reason.UNKNOWN_PURPOSE
        if subject.primary is None:
            return Reason.NO_RECORD
        reasons = [self._opinion(subject.primary, subject.roles[0], purpose, leg, occurred_at, now, span)]
        if subject.secondary is not None:
            other = self._opinion(subject.secondary, subject.roles[1], purpose, leg, occurred_at, now, span)
            if other is not Reason.NO_CHOICE:
                reasons.append(other)
        if purpose in inline.denied:
            reasons.append(Reason.INLINE_DENIED)
        return _strongest(reasons)

    def _opinion(
        self, record: SubjectRecord, role: str, purpose: str, leg: Leg, occurred_at: int, now: int, span: _Span
    ) -> Reason:
        scope = f"{self._regulation}/{purpose}"
        max_age = self._policy.max_age_ms.get(purpose)
        found = opinion(record, scope, occurred_at, now, leg.destination.valid_at, max_age)
        return span.add(role, purpose, found)

    def _send(self, subject: Subject, leg: Leg) -> Send:
        text = subject.pseudonym(leg.destination.id)
        return Send(leg.number, text, text.encode())


def _revisions(subject: Subject) -> str:
    records = (subject.primary, subject.secondary)
    pairs = zip(subject.roles, records, strict=False)
    return ",".join(f'"{role}":{record.revision}' for role, record in sorted(pairs) if record is not None)
