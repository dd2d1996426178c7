"""A batch of raw records in, everything to be written out: the only sequencing of the core.

Steps, in order, for each event: decode, validate, tag, look up the subject, decide, minimise and route, write the leaf,
count. Rules: each event gets exactly one outcome, one leaf and one count; nothing is written for a destination whose
standing does not list it; a sender's mistake is quarantined, never raised. Pure: time and keys come in, records go out.
Not handled here: transactions and offsets (``streaming``), held events, duplicates.
"""

from collections.abc import Mapping, Sequence

import msgspec

from tamis.domain.audit.leaf import LeafFrame
from tamis.domain.audit.log import AuditLog
from tamis.domain.bundle import Bundle
from tamis.domain.decide import Decider
from tamis.domain.directory import SubjectDirectory
from tamis.domain.event import Event, Invalid
from tamis.domain.inline import InlineSignals
from tamis.domain.keyring import Keyring
from tamis.domain.outcome import Outcome
from tamis.domain.pseudonym import commitment, committed_bytes, text_of
from tamis.domain.route import Routes
from tamis.domain.sites import site_of
from tamis.domain.standing import Standing
from tamis.domain.subject import Subject
from tamis.domain.tally import NO_RULE, NO_SITE, Tally
from tamis.domain.validate import check_time
from tamis.envelopes.decoder import Decoder
from tamis.ports import ConsentView, RawRecord
from tamis.records.outputs import CleanEvent, encode_clean
from tamis.records.topics import Topic

_INVALID = Outcome.INVALID.value
_REFUSED_FACTS = '"facts":{},"inline":"-","out":"invalid","pid":null,'
_REFUSED_RULE = '"rev":{},"rule":"-"'

Record = tuple[bytes | None, bytes]


class Emissions(msgspec.Struct, frozen=True):
    """What one batch gives, to be written in one transaction.

    Attributes:
        outputs: topic without prefix -> records for the source partition.
        leaves: values for the audit log, in order.
        head: the batch head that follows them, None when there is nothing to record.
        tally: counts of the batch.
        watermark: every later record of this partition is received at or after this, ms.
    """

    outputs: Mapping[str, list[Record]]
    leaves: list[bytes]
    head: bytes | None
    tally: Tally
    watermark: int


class RawBatch(msgspec.Struct, frozen=True):
    """Records of one partition of ``events.raw``.

    Attributes:
        topic: without prefix.
        partition: its number.
        records: in offset order, may be empty.
        first, next: offsets covered, ``[first, next)``.
        clock: for an empty batch the time up to which nothing came, ms; else ignored in favour of record times.
        lost: offsets that retention deleted unread, ``[from, to)``.
    """

    topic: str
    partition: int
    records: Sequence[RawRecord]
    first: int
    next: int
    clock: int
    lost: tuple[int, int] | None = None


class Intake:
    """The core for one bundle.

    Args:
        bundle: rules, destinations, policy.
        keys: key functions for the bundle's destinations.
        consent: read side of the consent replica.
        decoder: envelopes.
    """

    def __init__(self, bundle: Bundle, keys: Keyring, consent: ConsentView, decoder: Decoder) -> None:
        self.bundle = bundle
        self.keys = keys
        self.decode = decoder.decode
        self.decider = Decider()
        self.routes = Routes(bundle)
        self.inline = InlineSignals(bundle.policy.aliases)
        self.directory = SubjectDirectory(consent.get, consent.version, keys.subjects, keys.pseudonymisers)
        self.planned = {c.rule.id: frozenset(c.rule.events) for c in bundle.rules.rules}
        self.rule_tags = {c.rule.id: f'{c.rule.id}#{c.rule.version}"' for c in bundle.rules.rules}

    def process(self, log: AuditLog, batch: RawBatch) -> Emissions:
        """Decides every event of ``batch`` and appends to ``log``, which must be discarded if writing fails."""
        self.directory.refresh()
        run = _Run(self, log, batch)
        for number, record in enumerate(batch.records):
            run.record(number, record)
        clock = run.clock if batch.records else max(run.clock, batch.clock)
        head = log.append(run.leaves, run.tally.by_outcome(), batch.first, batch.next, clock, batch.lost)
        return Emissions(run.outputs, run.leaves, head, run.tally, clock)


class _Run:
    """One pass over one batch."""

    __slots__ = ("_batch", "_blocks", "_frame", "_intake", "_seq", "clock", "leaves", "outputs", "tally")

    def __init__(self, intake: Intake, log: AuditLog, batch: RawBatch) -> None:
        bundle = intake.bundle
        self._intake = intake
        self._batch = batch
        self._frame = LeafFrame(bundle.hash, bundle.policy.regulation, batch.topic, batch.partition)
        self._blocks: dict[int, bytes] = {}
        self._seq = log.seq
        self.clock = log.clock
        self.leaves: list[bytes] = []
        self.tally = Tally()
        self.outputs: dict[str, list[Record]] = {destination.topic: [] for destination in bundle.destinations}
        self.outputs[Topic.EVENTS_QUARANTINE] = []

    def record(self, number: int, record: RawRecord) -> None:
        """All events of one raw record; ``number`` is its index in the batch."""
        self.clock = max(self.clock, record.timestamp)
        value = record.value or b""
        found = self._intake.decode(record.value, record.headers, self.clock)
        if isinstance(found, Invalid):
            self._refuse(record.offset, 0, value, value, "decode", found, self.clock)
            return
        events = len(found)
        for index, item in enumerate(found):
            committed = value if events == 1 else committed_bytes(value, events, index)
            if isinstance(item, Invalid):
                self._refuse(record.offset, index, value, committed, "decode", item, self.clock)
                continue
            occurred_at = item.occurred_at if item.occurred_at is not None else self.clock
            ahead = check_time(item, self.clock) if occurred_at > self.clock else None
            if ahead is not None:
                self._refuse(record.offset, index, value, committed, "validate", ahead, occurred_at)
            else:
                self._event(number, record.offset, index, item, occurred_at, committed)

    def _event(self, number: int, offset: int, index: int, event: Event, occurred_at: int, committed: bytes) -> None:
        intake = self._intake
        compiled = intake.bundle.rules.match(event)
        if compiled is None:
            rule, tag, value, route = NO_RULE, '-"', None, intake.routes.unplanned
        else:
            rule = compiled.rule.id
            tag, value, route = intake.rule_tags[rule], compiled.value(event), intake.routes.by_rule[rule]
        subject = intake.directory.find(event.user_id, event.anonymous_id)
        inline = intake.inline.narrowing(event.consent)
        slot = route.slot + inline.id
        standing = subject.standings.get(slot)
        now = self.clock
        if (
            standing is None
            or not standing.since <= occurred_at < standing.until
            or now >= standing.now_until
            or now - occurred_at > standing.max_lateness_ms
        ):
            standing = intake.decider.standing(subject, route, inline, occurred_at, now)
            subject.keep(slot, standing, now - occurred_at)
        if standing.sends:
            stage = compiled.rule.stage if compiled is not None else ""
            self._send(standing, number, offset, index, event, occurred_at, rule, stage, value)
        self._leaf(standing, subject, tag, offset, index, event, occurred_at, committed)
        site = site_of(event, intake.bundle.policy.sites)
        self.tally.add(site, rule, now, standing.outcome, standing.reason, value)

    def _send(
        self,
        standing: Standing,
        number: int,
        offset: int,
        index: int,
        event: Event,
        occurred_at: int,
        rule: str,
        stage: str,
        value: float | None,
    ) -> None:
        intake = self._intake
        event_id = event.event_id.encode("utf-8", "surrogatepass")
        for send in standing.sends:
            destination = intake.bundle.destinations[send.number]
            record = CleanEvent(
                event_id=intake.keys.event_ids[send.number](event_id),
                proof_id=text_of(self._proof(send.number, number, offset, index)),
                subject=send.pseudonym,
                name=event.name if stage and event.name in intake.planned[rule] else event.kind,
                rule=rule if stage else "",
                stage=stage,
                value=value,
                occurred_at=occurred_at - occurred_at % destination.time_bucket_ms,
                fields=destination.project(event),
            )
            self.outputs[destination.topic].append((send.pseudonym.encode(), encode_clean(record)))

    def _proof(self, destination: int, number: int, offset: int, index: int) -> bytes:
        proofs, partition = self._intake.keys.proofs[destination], self._batch.partition
        if index:
            return proofs.encipher(partition, (offset,), index)
        blocks = self._blocks.get(destination)
        if blocks is None:
            offsets = [record.offset for record in self._batch.records]
            blocks = self._blocks[destination] = proofs.encipher(partition, offsets)
        return blocks[16 * number : 16 * number + 16]

    def _leaf(
        self,
        standing: Standing,
        subject: Subject,
        tag: str,
        offset: int,
        index: int,
        event: Event,
        occurred_at: int,
        committed: bytes,
    ) -> None:
        key = subject.commit_key
        cm = commitment(key, committed) if key else self._intake.keys.day_commitment(self.clock)(committed)
        self.leaves.append(
            self._frame.leaf(
                occurred_at,
                cm,
                standing.destinations,
                self._intake.keys.audit_event(event.event_id.encode("utf-8", "surrogatepass")),
                standing.facts,
                standing.revisions + tag,
                self._seq,
                index,
                offset,
                self.clock,
                standing.reason,
            )
        )
        self._seq += 1

    def _refuse(
        self, offset: int, index: int, value: bytes, committed: bytes, stage: str, why: Invalid, occurred_at: int
    ) -> None:
        keys, batch = self._intake.keys, self._batch
        commitment = keys.day_commitment(self.clock)(committed)
        entry = keys.sealer.entry(
            stage=stage,
            reason=why.reason,
            path=why.path,
            message=f"{why.reason} at {why.path}",
            topic=batch.topic,
            partition=batch.partition,
            offset=offset,
            index=index,
            received_at=self.clock,
            original=value,
        )
        self.outputs[Topic.EVENTS_QUARANTINE].append(entry)
        self.leaves.append(
            self._frame.leaf(
                occurred_at, commitment, '"dest":{}', "", _REFUSED_FACTS, _REFUSED_RULE, self._seq, index, offset,
                self.clock, why.reason,
            )
        )  # fmt: skip
        self._seq += 1
        self.tally.add(NO_SITE, NO_RULE, self.clock, _INVALID, why.reason, None)
