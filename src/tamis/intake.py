"""A batch of raw records in, everything to be written out: the only sequencing of the core.

Steps, in order: decode, sort out repeats, tag, validate, look up the subject, decide, minimise and route, write the
leaf, count; a few hundred events take a step together before the next.
Rules: each event gets exactly one outcome, one leaf and one count; nothing is written for a destination whose standing
does not list it; a sender's mistake is quarantined, never raised; what is quarantined is no sighting.
Pure: time and keys come in, records go out.
Not handled here: transactions and offsets (``streaming``), what becomes of held events (``tamis.release``).
"""

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from itertools import compress

from tamis.domain.audit.leaf import LeafFrame
from tamis.domain.audit.log import AuditLog
from tamis.domain.bundle import Bundle
from tamis.domain.circumstance import Circumstances
from tamis.domain.counts.counting import EventCounts
from tamis.domain.decide import Decider
from tamis.domain.differences import Differences
from tamis.domain.directory import SubjectDirectory
from tamis.domain.event import Event, Invalid
from tamis.domain.keyed import hmac_hex
from tamis.domain.keyring import Keyring
from tamis.domain.noted import Producers, Violations
from tamis.domain.outcome import Outcome, Reason
from tamis.domain.plan import Plans
from tamis.domain.pseudonym import committed_part
from tamis.domain.refused import RefusedEvents
from tamis.domain.sessions import SessionBook
from tamis.domain.sightings import Sighted
from tamis.domain.subject import nobody
from tamis.domain.tally import Tally
from tamis.domain.undecided import Undecided, sort_out
from tamis.domain.validate import check_time
from tamis.domain.validation import FROM_THE_FUTURE
from tamis.envelopes.decoder import Decoder
from tamis.ports import ConsentView, RawRecord, Sightings
from tamis.records.batch import Emissions, RawBatch, Record
from tamis.records.dispatch import Dispatch
from tamis.records.sightings import encode_packs
from tamis.records.topics import Topic
from tamis.records.waiting import Case, Decision, WaitingRoom

# Records that go through the steps together: enough to spread the cost of a step, few enough for the processor's cache.
_CHUNK = 256

_NOBODY = nobody()


class Intake:
    """The core for one bundle.

    Args:
        bundle: rules, destinations, policy.
        keys: key functions for the bundle's destinations.
        consent: read side of the consent replica.
        decoder: envelopes.
        shadow: the core for a candidate bundle, which only judges: nothing it says is written.
        sessions: those of the bundle before this one, None to begin anew.
    """

    def __init__(
        self, bundle: Bundle, keys: Keyring, consent: ConsentView, decoder: Decoder,
        shadow: "Intake | None" = None, sessions: SessionBook | None = None,
    ) -> None:  # fmt: skip
        self.bundle = bundle
        self.shadow = shadow
        self.keys = keys
        self.decode = decoder.decode
        self.decider = Decider(bundle.policy)
        self.plans = Plans(bundle)
        self.circumstances = Circumstances(bundle.policy)
        self.directory = SubjectDirectory(
            consent.get, consent.version, keys.subjects, keys.pseudonymisers, bundle.policy.max_users
        )
        self.sessions = (sessions or SessionBook()) if bundle.policy.keyed_by_subject else None
        self.dispatch = Dispatch(bundle, keys)
        self.counts = EventCounts(bundle.policy.sites, keys.subject_entry)
        self.fingerprints = keys.fingerprints
        self.producers = Producers(bundle.policy.producers)

    def process(self, log: AuditLog, batch: RawBatch, known: Sightings | None = None) -> Emissions:
        """Decides every event of ``batch`` and appends to ``log``, which must be discarded if writing fails.

        Args:
            log: the partition's audit log.
            batch: its records.
            known: what was seen on the partition before; without it repeats are not noticed.
        """
        self.directory.refresh()
        if self.shadow is not None:
            self.shadow.directory.refresh()
        notices = log.notices(batch.lost, batch.topic, batch.partition)
        run = BatchRun(self, log, batch, known)
        for start in range(0, len(batch.records), _CHUNK):
            run.chunk(batch.records[start : start + _CHUNK])
        clock = run.clock if batch.records else max(run.clock, batch.clock)
        head = log.append(run.leaves, run.tally.by_outcome(), batch.first, batch.next, clock, batch.lost)
        fresh = {} if run.sighted is None else run.sighted.fresh
        out, keyed = run.outputs(), run.waiting.keyed
        sent = {destination.id: len(out[destination.topic]) for destination in self.bundle.destinations}
        return Emissions(
            out, run.leaves, head, run.tally, clock, run.differences, fresh, tuple(notices), keyed, sent,
            run.violations.counts(), run.violations.events, run.bots,
        )  # fmt: skip


class BatchRun:
    """One pass over one batch."""

    __slots__ = (
        "_batch", "_frame", "_in_session", "_intake", "_outgoing", "_refused", "_seq", "_shadow", "_undecided",
        "bots", "clock", "differences", "leaves", "sighted", "tally", "violations", "waiting",
    )  # fmt: skip

    def __init__(self, intake: Intake, log: AuditLog, batch: RawBatch, known: Sightings | None = None) -> None:
        bundle = intake.bundle
        self._intake = intake
        self._batch = batch
        self._frame = LeafFrame(bundle.hash, batch.topic, batch.partition)
        self._seq = log.seq
        self.clock = log.clock
        self.leaves: list[bytes] = []
        self.sighted = None if known is None else Sighted(known.find)
        self.tally = Tally()
        self._outgoing = intake.dispatch.begin(batch.partition)
        policy = bundle.policy
        self._refused = RefusedEvents(intake.keys.sealer, batch.topic, batch.partition, policy.sites, policy.producers)
        self.waiting = WaitingRoom(intake.keys.held, log.origin, batch.partition)
        keyed = intake.sessions
        span = batch.first, batch.next
        self._in_session = None if keyed is None else keyed.matcher(
            bundle.rules, batch.partition, span, intake.directory.key_of, intake.plans.sound
        )  # fmt: skip
        self._undecided = Undecided(
            self._refused, self._frame, intake.keys.day_commitment, log.seq, self.leaves, self.tally, intake.counts
        )
        self.violations = Violations(policy.sites, intake.producers)
        self.bots: Counter[tuple[str, bool]] = Counter()
        self._shadow = None if intake.shadow is None else BatchRun(intake.shadow, log, batch)
        self.differences = None if intake.shadow is None else Differences()

    def outputs(self) -> dict[str, list[Record]]:
        """Everything to be sent, by topic."""
        outputs = self._outgoing.records()
        outputs[Topic.EVENTS_QUARANTINE] = self._refused.records
        outputs[Topic.EVENTS_HELD] = self.waiting.records
        if self.sighted is not None:
            packs = encode_packs(self.sighted.fresh, self._batch.first, self._batch.next)
            outputs[Topic.DEDUPE_LOG] = [(None, pack) for pack in packs]
        return outputs

    def chunk(self, records: Sequence[RawRecord]) -> None:
        """All events of some records, step by step over all of them: code and data of one step stay near."""
        cases: list[Case] = []
        self._read(records, cases)
        tags = self._intake.keys.event_tags([case[-1].event_id.encode("utf-8", "surrogatepass") for case in cases])
        if self.sighted is None:
            self._judge(cases, tags)
            return
        fingerprints = self._intake.fingerprints
        cases, tags, repeats = sort_out(self.sighted, cases, tags, fingerprints)
        gone = self._judge(cases, tags)
        if gone:  # repeats of what was refused are no repeats: they are looked at anew, once
            self.sighted.forget(gone)
            again, repeats = [each for each in repeats if each[1] in gone], [r for r in repeats if r[1] not in gone]
            cases, tags, more = sort_out(
                self.sighted, [each[0] for each in again], [each[1] for each in again], fingerprints
            )
            self.sighted.forget(self._judge(cases, tags))
            repeats += more
        for case, tag, repeat in repeats:
            self._undecided.repeated(case, tag, repeat, self._batch.records)

    def _judge(self, cases: list[Case], tags: list[bytes]) -> set[bytes]:
        """Decides, sends, audits and counts; gives the ids of events that were refused."""
        decisions = self.decide(cases)
        if self._shadow is not None and self.differences is not None:
            self.differences.compare(decisions, self._shadow.decide(cases))
        plans = [decision[0] for decision in decisions] if self.violations.found else []
        gone = self.violations.settle(cases, plans, tags, self._undecided, self._batch.records)
        decisions = self.waiting.admit(cases, decisions)
        self._outgoing.send(cases, decisions, tags)
        self._write_leaves(cases, decisions, tags)
        self.waiting.keep(cases, decisions, self.leaves, self._seq)
        if gone:  # these are counted
            left = [decision[3].outcome != Outcome.INVALID for decision in decisions]
            cases, decisions = list(compress(cases, left)), list(compress(decisions, left))
        self._count(cases, decisions)
        return gone

    def _read(self, records: Sequence[RawRecord], cases: list[Case]) -> None:
        """Decodes and validates; what may go on joins ``cases`` and has its place among the leaves."""
        decode, leaves, now, refuse = self._intake.decode, self.leaves, self.clock, self._undecided.refuse
        for record in records:
            value, offset, received_at = record.value or b"", record.offset, record.timestamp
            if received_at > now:
                now = self.clock = received_at
            found = decode(value, record.headers, now)
            if isinstance(found, Invalid):
                refuse(record, 0, value, "decode", found, (now, now))
                continue
            digest = sha256(value).digest() if len(found) > 1 else b""
            index = 0
            for item in found:
                committed = committed_part(digest, index) if digest else value
                if isinstance(item, Event):
                    occurred_at = now if item.occurred_at is None else item.occurred_at
                    ahead = check_time(item, now) if occurred_at > now else None
                    if ahead is None:
                        cases.append((len(leaves), offset, index, now, occurred_at, committed, item))
                        leaves.append(b"")
                    else:
                        refuse(record, index, committed, "validate", ahead, (occurred_at, now), item)
                        self.violations.add(len(leaves) - 1, item, "", FROM_THE_FUTURE)
                else:
                    refuse(record, index, committed, "decode", item, (now, now))
                index += 1  # noqa: SIM113 - a generator would cost every event, though nearly all are alone in their record

    def decide(self, cases: list[Case]) -> list[Decision]:
        """Tag, subject and standing of each."""
        intake = self._intake
        match, by_rule, unplanned = intake.bundle.rules.match, intake.plans.by_rule, intake.plans.unplanned
        in_session, find, circumstance = self._in_session, intake.directory.find, intake.circumstances.of
        book, judge = None if in_session is None else intake.sessions, self.violations.begin()
        decisions: list[Decision] = []
        for _, _, _, now, occurred_at, _, event in cases:
            compiled = match(event) if in_session is None else in_session(event, now)
            plan = unplanned if compiled is None else by_rule[compiled.rule.id]
            checks, over = plan.validator, "" if book is None else book.over
            if judge is not None and (not checks.idle or now - occurred_at > checks.late_ms or over):
                refused = judge(len(decisions), plan, event, now - occurred_at, by_rule.get(over))
                if refused is not None:
                    decisions.append((plan, None, _NOBODY, refused))
                    continue
            subject, said = find(event.user_id, event.anonymous_id), circumstance(event)
            standing = subject.standings.get(plan.route.slot + said.id)
            if (
                standing is None
                or not standing.since <= occurred_at < standing.until
                or not standing.now_since <= now < standing.now_until
                or now - occurred_at > standing.max_lateness_ms
            ):
                standing = intake.decider.standing(subject, plan.route, said, occurred_at, now)
                subject.keep(plan.route.slot + said.id, standing, now - occurred_at)
            decisions.append((plan, plan.value(event), subject, standing))
        return decisions

    def _write_leaves(self, cases: list[Case], decisions: list[Decision], tags: list[bytes]) -> None:
        """Fills the places that ``_read`` kept."""
        leaf, leaves, seq, day_commitment = self._frame.leaf, self.leaves, self._seq, self._intake.keys.day_commitment
        for (place, offset, index, now, occurred_at, committed, _), (plan, _, subject, standing), tag in zip(
            cases, decisions, tags, strict=True
        ):
            pads = subject.commit_pads
            leaves[place] = leaf(
                occurred_at,
                hmac_hex(pads, committed) if pads else day_commitment(now)(committed),
                standing.destinations,
                tag.hex(),
                standing.facts,
                standing.revisions + plan.leaf,
                seq + place,
                index,
                offset,
                now,
                standing.reason,
            )

    def _count(self, cases: list[Case], decisions: list[Decision]) -> None:
        self._intake.counts.decided(self.tally, cases, decisions)
        for _, _, _, standing in decisions:
            if standing.bot:
                self.bots[standing.bot, standing.reason == Reason.BOT] += 1
