"""Reads a whole system back with ``read_committed`` and counts what is missing, doubled or inconsistent.

The oracle is the input itself: every offset of ``events.raw`` must have its leaves, every granted destination of an
accepted leaf exactly one record (found by its proof id), and the counts in windows, closed and still open, must sum to
the ledger. It holds at any time in which nothing is written. A large system is read a few partitions at a time, so that
memory stays within bounds.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from tamis.domain.audit.verify import LogVerifier
from tamis.kafka.reader import TopicRecord, read_topic, topic_ends
from tamis.records.topics import Topic
from tamis.services.audit_check import STRICT, is_head
from tests.support.held_books import HeldBooks, read_held
from tests.support.sound_counts import read_counts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tamis.domain.bundle import Bundle
    from tamis.domain.keyring import Keyring
    from tamis.settings import Settings

Place = tuple[int, int, int]
"""Partition, offset, and index within the record."""

AT_ONCE = 400_000
"""Events of the partitions that are read together."""


class _Source(msgspec.Struct):
    p: int
    o: int
    i: int


class _Leaf(msgspec.Struct):
    src: _Source
    out: str
    dest: dict[str, str]


class _Proof(msgspec.Struct):
    proof_id: str


_leaf = msgspec.json.Decoder(_Leaf).decode
_proof = msgspec.json.Decoder(_Proof).decode


class Findings(msgspec.Struct, kw_only=True):
    """What was read back.

    Attributes:
        events: records in ``events.raw``.
        leaves: leaves in the audit log.
        outcomes: leaves by outcome; of held events also what became of them later.
        sent: records by destination.
        missing: input offsets without a leaf.
        doubled: positions with more than one leaf, or leaves of records that are not in the input.
        lost: granted (destination, position) pairs without a record.
        repeated: (destination, position) pairs with more than one record, or that were not granted.
        broken_logs: partitions whose tree or order does not verify.
        partial_sum: events in the partial counts, by outcome.
        window_sum: events in closed windows, by outcome.
        open_sum: events in windows that are still open, by outcome.
        minutes_twice: windows, minute ends and longer spans that were written more than once.
        counts_apart: stages of counting that differ from the one before, in so many groups (``sound_counts``).
        opened_twice: incidents opened more than once.
    """

    events: int = 0
    leaves: int = 0
    outcomes: Counter[str] = msgspec.field(default_factory=Counter)
    sent: Counter[str] = msgspec.field(default_factory=Counter)
    missing: int = 0
    doubled: int = 0
    lost: int = 0
    repeated: int = 0
    broken_logs: list[str] = msgspec.field(default_factory=list)
    partial_sum: Counter[str] = msgspec.field(default_factory=Counter)
    window_sum: Counter[str] = msgspec.field(default_factory=Counter)
    open_sum: Counter[str] = msgspec.field(default_factory=Counter)
    minutes_twice: int = 0
    counts_apart: dict[str, int] = msgspec.field(default_factory=dict)
    opened_twice: int = 0

    @property
    def uncounted(self) -> dict[str, int]:
        """By outcome: leaves less partial counts, where they differ."""
        return difference(self.outcomes, self.partial_sum)

    @property
    def unbalanced(self) -> dict[str, int]:
        """By outcome: leaves less counts in windows, where they differ."""
        return difference(self.outcomes, self.window_sum + self.open_sum)

    def sound(self) -> bool:
        """Nothing missing, nothing twice, every tree valid, every event counted once."""
        wrong = self.missing or self.doubled or self.lost or self.repeated or self.broken_logs or self.counts_apart
        return not (wrong or self.uncounted or self.unbalanced or self.minutes_twice or self.opened_twice)


def difference(one: Counter[str], other: Counter[str]) -> dict[str, int]:
    """What one has more (or less) than the other, where they differ."""
    return {name: one[name] - other[name] for name in one | other if one[name] != other[name]}


def read_back(settings: Settings, bundle: Bundle, keys: Keyring) -> Findings:
    """Everything about one system's outputs; producers must have stopped, and workers be idle."""
    found = Findings()
    for partitions in _groups(topic_ends(settings.kafka, settings.topic(Topic.EVENTS_RAW))):
        granted = _read_logs(settings, partitions, found)
        for number, destination in enumerate(bundle.destinations):
            seen: Counter[Place] = Counter()
            for record in _of(settings, destination.topic, partitions):
                place = keys.proofs[number].position(_proof(record.value or b"").proof_id)
                assert place[0] == record.partition, f"{destination.id}: {place} in partition {record.partition}"
                seen[place] += 1
            wanted = granted.get(destination.id, Counter())
            found.sent[destination.id] += seen.total()
            found.lost += (wanted - seen).total()
            found.repeated += (seen - wanted).total()
    _read_windows(settings, found)
    _read_alerts(settings, found)
    return found


def _groups(ends: dict[int, int]) -> Iterator[list[int]]:
    group: list[int] = []
    for partition, end in ends.items():
        if group and sum(ends[p] for p in group) + end > AT_ONCE:
            yield group
            group = []
        group.append(partition)
    yield group


def _of(settings: Settings, topic: str, partitions: list[int]) -> Iterator[TopicRecord]:
    return read_topic(settings.kafka, settings.topic(topic), first=dict.fromkeys(partitions, 0))


def _read_logs(settings: Settings, partitions: list[int], found: Findings) -> dict[str, Counter[Place]]:
    granted: dict[str, Counter[Place]] = {}
    positions: Counter[Place] = Counter()
    verifiers: dict[int, LogVerifier] = {p: STRICT.verifier(p) for p in partitions}
    for record in _of(settings, Topic.AUDIT_LOG, partitions):
        assert record.value is not None
        head = is_head(record)
        verifiers[record.partition].feed(head, record.value)
        if head:
            continue
        leaf = _leaf(record.value)
        place = (leaf.src.p, leaf.src.o, leaf.src.i)
        positions[place] += 1
        found.outcomes[leaf.out] += 1
        for destination, reason in leaf.dest.items():
            if leaf.out == "accepted" and reason == "granted":
                granted.setdefault(destination, Counter())[place] += 1
    found.leaves += positions.total()
    found.doubled += positions.total() - len(positions)
    covered = {(p, offset) for p, offset, _ in positions}
    there = {(record.partition, record.offset) for record in _of(settings, Topic.EVENTS_RAW, partitions)}
    found.events += len(there)
    found.missing += len(there - covered)
    found.doubled += len(covered - there)
    reports = {p: verifier.report() for p, verifier in verifiers.items()}
    found.broken_logs += [f"{p}: {report.failure}" for p, report in reports.items() if not report.ok]
    _add_held(read_held(settings, partitions), granted, found)
    return granted


def _add_held(books: HeldBooks, granted: dict[str, Counter[Place]], found: Findings) -> None:
    """What was decided later counts under words of its own, and is sent like what was accepted."""
    found.outcomes.update(books.outcomes)
    found.broken_logs += books.broken
    found.doubled += books.twice
    for destination, places in books.granted.items():
        granted.setdefault(destination, Counter()).update(places)


def _read_windows(settings: Settings, found: Findings) -> None:
    counts = read_counts(settings)
    found.partial_sum = counts.by_outcome(counts.partial)
    found.window_sum = counts.by_outcome(counts.closed)
    found.open_sum = counts.by_outcome(counts.open)
    found.minutes_twice = counts.twice
    found.counts_apart = counts.apart()


def _read_alerts(settings: Settings, found: Findings) -> None:
    opened: Counter[str] = Counter()
    for record in read_topic(settings.kafka, settings.topic(Topic.ALERTS)):
        assert record.value is not None
        alert = msgspec.json.decode(record.value)
        opened[alert["id"]] += alert["state"] == "open"
    found.opened_twice = sum(count > 1 for count in opened.values())
