"""The decision: may this event, of this subject, go to which destinations, and why.

Rules, in order of strength: an event with no open destination is denied as such; a destination gets an event only when
every purpose it and the rule need is granted by the primary subject, not refused by the secondary one (the stricter of
person and device wins; an absent secondary record is silent), not forbidden inline, and when the event is not too late
for it. A malformed inline signal denies all. The decision is a pure function of (event, records, bundle, received_at).
"""

import msgspec

from tamis.domain.consent.model import SubjectRecord
from tamis.domain.consent.verdict import FOREVER, Opinion, opinion
from tamis.domain.inline import Narrowing
from tamis.domain.outcome import Outcome, Reason
from tamis.domain.route import Leg, Question, Route
from tamis.domain.standing import Standing
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

_MAX_TEXTS = 4_096


def _strongest(reasons: list[Reason]) -> Reason:
    return reasons[0] if len(reasons) == 1 else min(reasons, key=_STRENGTH.__getitem__)


class _Verdict(msgspec.Struct, frozen=True):
    """What follows from the reasons of a route's legs alone: shared by all subjects with these reasons."""

    outcome: str
    reason: str
    granted: tuple[Leg, ...]
    destinations: str


class _Span:
    """Narrows the span in which a decision holds while opinions are gathered, each asked for once."""

    __slots__ = ("_asked", "facts", "now_since", "now_until", "since", "until")

    def __init__(self) -> None:
        self.since, self.until = -FOREVER, FOREVER
        self.now_since, self.now_until = -FOREVER, FOREVER
        self.facts: dict[str, dict[str, str]] = {}
        self._asked: dict[tuple[str, str, str], Reason] = {}

    def opinion(
        self, record: SubjectRecord, role: str, question: Question, valid_at: str, occurred_at: int, now: int
    ) -> Reason:
        asked = role, question.purpose, valid_at
        known = self._asked.get(asked)
        if known is None:
            found = opinion(record, question.scope, occurred_at, now, valid_at, question.max_age_ms)
            known = self._asked[asked] = self._add(role, question.purpose, found)
        return known

    def _add(self, role: str, purpose: str, found: Opinion) -> Reason:
        self.since = max(self.since, found.since)
        self.until = min(self.until, found.until)
        self.now_since = max(self.now_since, found.now_since)
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
    """Decides for one bundle, whose rules and policy are in its routes. Texts that subjects share are kept once."""

    __slots__ = ("_revisions", "_verdicts")

    def __init__(self) -> None:
        self._verdicts: dict[tuple[int | Reason, ...], _Verdict] = {}
        self._revisions: dict[tuple[tuple[str, ...], int | None, int | None], str] = {}

    def standing(self, subject: Subject, route: Route, inline: Narrowing, occurred_at: int, now: int) -> Standing:
        """The decision for events of ``route`` by ``subject`` around these times (ms)."""
        span = _Span()
        reasons = [_leg(leg, subject, inline, occurred_at, now, span) for leg in route.legs]
        verdict = self._verdict(route, reasons)
        pid = f'"{subject.pid}"' if subject.pid else "null"
        return Standing(
            outcome=verdict.outcome,
            reason=verdict.reason,
            sends=tuple([subject.send(leg.number, leg.destination.id) for leg in verdict.granted]),
            since=span.since,
            until=span.until,
            now_since=span.now_since,
            now_until=span.now_until,
            max_lateness_ms=route.max_lateness_ms,
            destinations=verdict.destinations,
            facts=f'{span.text()}"inline":"{inline.text}","out":"{verdict.outcome}","pid":{pid},',
            revisions=self._revision(subject),
        )

    def _verdict(self, route: Route, reasons: list[Reason]) -> _Verdict:
        asked: tuple[int | Reason, ...] = (route.id, *reasons)
        known = self._verdicts.get(asked)
        if known is None:
            if len(self._verdicts) >= _MAX_TEXTS:
                self._verdicts.clear()
            known = self._verdicts[asked] = _verdict(route, reasons)
        return known

    def _revision(self, subject: Subject) -> str:
        primary, secondary = subject.primary, subject.secondary
        asked = (
            subject.roles,
            None if primary is None else primary.revision,
            None if secondary is None else secondary.revision,
        )
        known = self._revisions.get(asked)
        if known is None:
            if len(self._revisions) >= _MAX_TEXTS:
                self._revisions.clear()
            known = self._revisions[asked] = f'"rev":{{{_revisions(subject)}}},"rule":"'
        return known


def _verdict(route: Route, reasons: list[Reason]) -> _Verdict:
    granted = tuple(leg for leg, reason in zip(route.legs, reasons, strict=True) if reason is Reason.GRANTED)
    outcome = Outcome.ACCEPTED if granted else Outcome.DENIED
    why = Reason.GRANTED if granted else _strongest(reasons or [route.closed])
    pairs = zip(route.legs, reasons, strict=True)
    verdicts = ",".join(f'"{leg.destination.id}":"{reason.value}"' for leg, reason in pairs)
    return _Verdict(outcome.value, why.value, granted, f'"dest":{{{verdicts}}}')


def _leg(leg: Leg, subject: Subject, inline: Narrowing, occurred_at: int, now: int, span: _Span) -> Reason:
    if now - occurred_at > leg.destination.max_lateness_ms:
        return Reason.LATE
    return _strongest([_purpose(question, leg, subject, inline, occurred_at, now, span) for question in leg.purposes])


def _purpose(
    question: Question, leg: Leg, subject: Subject, inline: Narrowing, occurred_at: int, now: int, span: _Span
) -> Reason:
    if inline.malformed:
        return Reason.INLINE_MALFORMED
    if not subject.roles:
        return Reason.NO_SUBJECT
    if not question.known:
        return Reason.UNKNOWN_PURPOSE
    if subject.primary is None:
        return Reason.NO_RECORD
    valid_at = leg.destination.valid_at
    reasons = [span.opinion(subject.primary, subject.roles[0], question, valid_at, occurred_at, now)]
    if subject.secondary is not None:
        other = span.opinion(subject.secondary, subject.roles[1], question, valid_at, occurred_at, now)
        if other is not Reason.NO_CHOICE:
            reasons.append(other)
    if question.purpose in inline.denied:
        reasons.append(Reason.INLINE_DENIED)
    return _strongest(reasons)


def _revisions(subject: Subject) -> str:
    records = (subject.primary, subject.secondary)
    pairs = zip(subject.roles, records, strict=False)
    return ",".join(f'"{role}":{record.revision}' for role, record in sorted(pairs) if record is not None)
