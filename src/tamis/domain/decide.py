"""The decision: may this event, of this subject, go to which destinations, and why; in the form that can be cached.

Rules: see ``consent.case`` and ``consent.judge``; here the facts are taken from the records, with the span of times in
which all of them stay as they are, and the leaf states the same facts. The decision is a pure function of (event,
records, bundle, received_at).
"""

from tamis.domain.audit.leaf import FRAME_BYTES, MAX_LEAF_BYTES
from tamis.domain.bundle import Policy
from tamis.domain.circumstance import Circumstance
from tamis.domain.consent.case import Case, Verdict, unrecordable, verdict
from tamis.domain.consent.facts import CUT, NO_SIGNAL, encode_inline
from tamis.domain.consent.gather import Gathered
from tamis.domain.consent.inline import SILENT
from tamis.domain.consent.verdict import state_of
from tamis.domain.outcome import Reason
from tamis.domain.route import Route
from tamis.domain.standing import Standing
from tamis.domain.subject import Subject

_MAX_TEXTS = 4_096
_MAX_STATED = MAX_LEAF_BYTES - FRAME_BYTES


class Decider:
    """Decides for one bundle, whose rules are in its routes. Texts that subjects share are kept once."""

    __slots__ = ("_policy", "_revisions", "_verdicts")

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._verdicts: dict[tuple[int | Reason, ...], Verdict] = {}
        self._revisions: dict[tuple[tuple[str, ...], int | None, int | None], str] = {}

    def standing(self, subject: Subject, route: Route, said: Circumstance, occurred_at: int, now: int) -> Standing:
        """The decision for events of ``route`` by ``subject`` in these circumstances, around these times (ms)."""
        gathered = Gathered(subject, self._policy, occurred_at, now)
        voices = gathered.voices
        case = Case(
            self._policy, _states(subject), voices, said.regulations, said.findings, said.age, occurred_at, now,
            bot=said.bot,
        )  # fmt: skip
        holds = not said.bot and self._policy.holds(said.regulations)
        found = self._verdict(route, case.reasons(route), holds)
        pid = f'"{subject.pid}"' if subject.pid else "null"
        ends = subject.overlap_until
        overlapping = now < ends
        silent = all(finding is SILENT for finding in said.findings)
        inline = NO_SIGNAL if silent else encode_inline(said.regulations, said.findings, route.purposes)
        facts = gathered.text(said.age, said.bot)
        if len(found.destinations) + len(facts) + len(inline) + len(said.reg) > _MAX_STATED:
            found = self._verdict(route, unrecordable(route))
            facts, inline = f'{{"{CUT}":{len(facts)}}}', NO_SIGNAL
        return Standing(
            outcome=found.outcome,
            reason=found.reason,
            sends=tuple(
                [subject.send(leg.number, leg.destination.id, overlapping=overlapping) for leg in found.allowed]
            ),
            since=gathered.since,
            until=gathered.until,
            now_since=gathered.now_since if overlapping else max(gathered.now_since, ends),
            now_until=min(gathered.now_until, ends) if overlapping else gathered.now_until,
            max_lateness_ms=route.max_lateness_ms,
            destinations=found.destinations,
            facts=(f'"facts":{facts},"inline":{inline},"out":"{found.outcome}","pid":{pid},"reg":"{said.reg}",'),
            revisions=self._revision(subject),
            decision=found.decision.value,
            bot=said.bot,
        )

    def _verdict(self, route: Route, reasons: list[Reason], holds: bool = False) -> Verdict:
        asked: tuple[int | Reason, ...] = (route.id, holds, *reasons)
        known = self._verdicts.get(asked)
        if known is None:
            if len(self._verdicts) >= _MAX_TEXTS:
                self._verdicts.clear()
            known = self._verdicts[asked] = verdict(route, reasons, holds=holds)
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


def _states(subject: Subject) -> tuple[str, ...]:
    records = (subject.primary, subject.secondary)
    return tuple("" if record is None else state_of(record) for record in records) if subject.roles else ()


def _revisions(subject: Subject) -> str:
    """Role -> revision; null says that the subject itself has no record, an empty object that nobody is named."""
    revisions = {}
    for place, (role, record) in enumerate(zip(subject.roles, (subject.primary, subject.secondary), strict=False)):
        if record is not None or not place:
            revisions[role] = "null" if record is None else str(record.revision)
    return ",".join(f'"{role}":{revision}' for role, revision in sorted(revisions.items()))
