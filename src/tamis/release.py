"""A batch of held records in, everything to be written out: the second decision about an event, and the last.

Rules: each record ends in exactly one of released, denied or forwarded (to wait once more; from ``events.held`` only)
and in one leaf of its own log, which cites the leaf the event was held with. It is decided anew, by the bundle and the
subject record of now, at the time of release; what is released leaves as intake would have let it out. Nobody's word
is denied at the end (``undecided``), an event whose key is gone as erased, one that cannot be read as unreadable: only
a readable event that is allowed now leaves. Pure: time and keys come in, records go out.
A rule that looks at sessions is kept from the event's intake, since the session is over; it must still exist.
Not handled here: when records are due, transactions and offsets (``streaming``).
"""

from base64 import b64decode
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from tamis.domain.audit.leaf import cited
from tamis.domain.audit.log import AuditLog
from tamis.domain.audit.origin import parse_origin
from tamis.domain.event import Event
from tamis.domain.held import HeldEvent, Unreadable
from tamis.domain.keyed import hmac_hex
from tamis.domain.outcome import LATER_DENIED, HeldOutcome, Outcome, Reason
from tamis.domain.plan import Plan
from tamis.domain.standing import Standing, restated
from tamis.domain.subject import salt_of
from tamis.domain.tally import NO_RULE, NO_SITE
from tamis.intake import BatchRun, Intake
from tamis.ports import RawRecord
from tamis.records.batch import Emissions, RawBatch, Record
from tamis.records.topics import Topic
from tamis.records.waiting import Case, Decision

_CHUNK = 256
_DIGEST_BYTES = 32
_MOST = (1 << 53) - 1
_NOTHING_KNOWN = '"facts":{},"inline":"-","out":"denied","pid":null,"reg":"-",'
_NO_RULE = '"rev":{},"rule":"-"'
_DENIED, _RELEASED, _FORWARDED = (
    each.value for each in (HeldOutcome.DENIED, HeldOutcome.RELEASED, HeldOutcome.FORWARDED)
)
_decode = msgspec.json.Decoder(HeldEvent).decode


class Released(msgspec.Struct, frozen=True):
    """What a batch of held records gives.

    Attributes:
        emissions: to be written in one transaction.
        fates: (outcome, reason) -> records.
    """

    emissions: Emissions
    fates: Mapping[tuple[str, str], int]


class Release:
    """The second decision for one bundle.

    Args:
        intake: the core for the bundle; its shadow and sessions are not used.
        last: what is still unknown is denied, not forwarded.
    """

    def __init__(self, intake: Intake, *, last: bool) -> None:
        self.intake = intake
        self.last = last

    def process(self, log: AuditLog, batch: RawBatch) -> Released:
        """Decides every record of ``batch`` and appends to ``log``, which must be discarded if writing fails.

        Args:
            log: the audit log of the partition of the held topic.
            batch: its records; ``clock`` is the time of release.
        """
        self.intake.directory.refresh()
        notices = log.notices(batch.lost, batch.topic, batch.partition)
        run = _HeldRun(self, log, batch)
        for start in range(0, len(batch.records), _CHUNK):
            run.release(batch.records[start : start + _CHUNK])
        counts: Counter[str] = Counter()
        for (outcome, _), n in run.fates.items():
            counts[outcome] += n
        head = log.append(run.leaves, dict(counts), batch.first, batch.next, run.clock, batch.lost)
        out = run.outputs()
        sent = {destination.id: len(out.get(destination.topic, ())) for destination in self.intake.bundle.destinations}
        emissions = Emissions(out, run.leaves, head, run.tally, run.clock, notices=tuple(notices), sent=sent)
        return Released(emissions, run.fates)


class _HeldRun(BatchRun):
    """One pass over one batch of held records."""

    __slots__ = ("_forwarded", "_held", "_last", "_origin", "fates")

    def __init__(self, release: Release, log: AuditLog, batch: RawBatch) -> None:
        super().__init__(release.intake, log, batch)
        self._in_session = None
        self.violations.judging = False  # intake did, when the event came
        self._last, self._origin = release.last, log.origin
        self.clock = max(self.clock, batch.clock)
        self._held: list[tuple[RawRecord, HeldEvent]] = []
        self._forwarded: list[Record] = []
        self.fates: Counter[tuple[str, str]] = Counter()

    def outputs(self) -> dict[str, list[Record]]:
        """Everything to be sent, by topic."""
        return super().outputs() | {Topic.EVENTS_HELD_LAST: self._forwarded}

    def release(self, records: Sequence[RawRecord]) -> None:
        """Some records, step by step over all of them."""
        cases = self._open(records)
        tags = self._intake.keys.event_tags([case[-1].event_id.encode("utf-8", "surrogatepass") for case in cases])
        decisions = [
            (plan, value, subject, self._restated(standing)) for plan, value, subject, standing in self.decide(cases)
        ]
        self._outgoing.send(cases, decisions, tags)
        self._write_held_leaves(cases, decisions, tags)
        self._count_held(cases, decisions)
        self._held.clear()

    def _open(self, records: Sequence[RawRecord]) -> list[Case]:
        """Decrypts; what can be decided has its place among the leaves, what cannot has its leaf already."""
        cases: list[Case] = []
        for record in records:
            entry, event = self._read_held(record)
            if not isinstance(event, Event):
                self._refuse_held(record, entry, event)
                continue
            assert entry is not None
            cases.append((
                len(self.leaves), entry.offset, entry.index, self.clock, entry.occurred_at, record.value or b"", event,
            ))  # fmt: skip
            self._held.append((record, entry))
            self.leaves.append(b"")
        return cases

    def _read_held(self, record: RawRecord) -> tuple[HeldEvent | None, Event | Unreadable]:
        try:
            entry, subject = _decode(record.value or b""), (record.key or b"").decode("ascii")
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None, Unreadable.DAMAGED
        if entry.partition != self._batch.partition:
            return None, Unreadable.DAMAGED
        salt = salt_of(self._intake.directory.record(subject))
        return entry, self._intake.keys.held.open(entry, subject, salt)

    def decide(self, cases: list[Case]) -> list[Decision]:
        """As intake does, but a rule of the event's session is kept where it still exists."""
        decisions = super().decide(cases)
        by_rule = self._intake.plans.by_rule
        for place, (_, entry) in enumerate(self._held):
            plan = by_rule.get(entry.rule) if entry.rule else None
            if plan is not None and plan.in_session:
                decisions[place] = self._decided(plan, cases[place])
        return decisions

    def _decided(self, plan: Plan, case: Case) -> Decision:
        core, event = self._intake, case[-1]
        subject = core.directory.find(event.user_id, event.anonymous_id)
        standing = core.decider.standing(subject, plan.route, core.circumstances.of(event), case[4], case[3])
        return plan, plan.value(event), subject, standing

    def _restated(self, standing: Standing) -> Standing:
        """The decision in the words of a second one."""
        if standing.outcome == Outcome.ACCEPTED:
            return restated(standing, _RELEASED, standing.reason)
        if standing.outcome == Outcome.HELD:
            return (
                restated(standing, _DENIED, Reason.UNDECIDED.value) if self._last
                else restated(standing, _FORWARDED, standing.reason)
            )  # fmt: skip
        return standing

    def _write_held_leaves(self, cases: list[Case], decisions: list[Decision], tags: list[bytes]) -> None:
        day = self._intake.keys.day_commitment
        for case, (plan, _, subject, standing), tag, (record, entry) in zip(
            cases, decisions, tags, self._held, strict=True
        ):
            place, now, occurred_at, committed = case[0], case[3], case[4], case[5]
            pads = subject.commit_pads
            leaf = self._frame.leaf(
                occurred_at, hmac_hex(pads, committed) if pads else day(now)(committed), standing.destinations,
                tag.hex(), standing.facts, standing.revisions + plan.leaf, self._seq + place, 0, record.offset, now,
                standing.reason,
            )  # fmt: skip
            self.leaves[place] = cited(leaf, _citation(entry, self._origin))
            if standing.outcome == _FORWARDED:
                self._forwarded.append((record.key, record.value or b""))

    def _refuse_held(self, record: RawRecord, entry: HeldEvent | None, why: Unreadable) -> None:
        """Denies what cannot be read; what it says of itself is cited only where it has the form of a citation."""
        reason = (Reason.ERASED if why is Unreadable.KEY_GONE else Reason.UNREADABLE).value
        now = self.clock
        commitment = self._intake.keys.day_commitment(now)(record.value or b"")
        leaf = self._frame.leaf(
            now if entry is None else _within(entry.occurred_at), commitment, '"dest":{}', "", _NOTHING_KNOWN,
            _NO_RULE, self._seq + len(self.leaves), 0, record.offset, now, reason,
        )  # fmt: skip
        self.leaves.append(cited(leaf, "null" if entry is None else _citation(entry, self._origin)))
        self.fates[_DENIED, reason] += 1
        self.tally.add(NO_SITE, NO_RULE, now, LATER_DENIED, reason, None)

    def _count_held(self, cases: list[Case], decisions: list[Decision]) -> None:
        """What waits on is counted as a fate but not in windows: it is still held."""
        counted: list[tuple[Case, Decision]] = []
        for case, (plan, value, subject, standing) in zip(cases, decisions, strict=True):
            self.fates[standing.outcome, standing.reason] += 1
            if standing.outcome != _FORWARDED:
                word = LATER_DENIED if standing.outcome == _DENIED else standing.outcome
                counted.append((case, (plan, value, subject, msgspec.structs.replace(standing, outcome=word))))
        self._intake.counts.decided(self.tally, [case for case, _ in counted], [told for _, told in counted])


def _citation(entry: HeldEvent, own: str) -> str:
    """The leaf an event was held with, as JSON; null where the record names none of this installation's.

    Args:
        entry: the record; what it says may not have been authenticated.
        own: origin of the log that cites.
    """
    numbers = entry.offset, entry.index, entry.seq
    try:
        log, base = parse_origin(entry.log), parse_origin(own).base
        known = len(b64decode(entry.leaf, validate=True)) == _DIGEST_BYTES
    except ValueError:
        return "null"
    if not known or log.base != base or log.log != Topic.AUDIT_LOG or min(numbers) < 0 or max(numbers) > _MOST:
        return "null"
    return f'{{"i":{entry.index},"leaf":"{entry.leaf}","log":"{log}","o":{entry.offset},"seq":{entry.seq}}}'


def _within(at: int) -> int:
    return min(max(at, 0), _MOST)
