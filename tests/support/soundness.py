"""Reads a whole system back with ``read_committed`` and counts what is missing, doubled or inconsistent.

The oracle is the input itself: every offset of ``events.raw`` must have its leaves, every granted destination of an
accepted leaf exactly one record (found by its proof id), and the windows must sum to the ledger.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from tamis.domain.audit.verify import LogVerifier
from tamis.kafka.reader import read_topic, topic_ends
from tamis.records.metrics import MinuteClosed, Window
from tamis.records.topics import Topic
from tamis.services.audit_check import STRICT, is_head

if TYPE_CHECKING:
    from tamis.domain.bundle import Bundle
    from tamis.domain.keyring import Keyring
    from tamis.settings import Settings

Position = tuple[int, int, int]


class Findings(msgspec.Struct, kw_only=True):
    """What was read back.

    Attributes:
        leaves: leaves in the audit log.
        outcomes: leaves by outcome.
        missing: input offsets without a leaf.
        doubled: positions with more than one leaf.
        lost: granted (destination, position) pairs without a record.
        repeated: (destination, position) pairs with more than one record, or that were not granted.
        broken_logs: partitions whose tree or order does not verify.
        window_sum: events in closed windows, by outcome.
        opened_twice: incidents opened more than once.
    """

    leaves: int = 0
    outcomes: Counter[str] = msgspec.field(default_factory=Counter)
    missing: int = 0
    doubled: int = 0
    lost: int = 0
    repeated: int = 0
    broken_logs: list[str] = msgspec.field(default_factory=list)
    window_sum: Counter[str] = msgspec.field(default_factory=Counter)
    opened_twice: int = 0

    def sound(self) -> bool:
        """Nothing missing, nothing twice, every tree valid."""
        return not (self.missing or self.doubled or self.lost or self.repeated or self.broken_logs or self.opened_twice)


def read_back(settings: Settings, bundle: Bundle, keys: Keyring) -> Findings:
    """Everything about one system's outputs; producers must have stopped."""
    found = Findings()
    granted = _read_audit(settings, found)
    for number, destination in enumerate(bundle.destinations):
        seen: Counter[Position] = Counter()
        for record in read_topic(settings.kafka, settings.topic(destination.topic)):
            assert record.value is not None
            seen[keys.proofs[number].position(msgspec.json.decode(record.value)["proof_id"])] += 1
        wanted = granted.get(destination.id, Counter())
        found.lost += sum((wanted - seen).values())
        found.repeated += sum((seen - wanted).values())
    _read_windows(settings, found)
    _read_alerts(settings, found)
    return found


def _read_audit(settings: Settings, found: Findings) -> dict[str, Counter[Position]]:
    granted: dict[str, Counter[Position]] = {}
    positions: Counter[Position] = Counter()
    verifiers: dict[int, LogVerifier] = {}
    for record in read_topic(settings.kafka, settings.topic(Topic.AUDIT_LOG)):
        assert record.value is not None
        head = is_head(record)
        if record.partition not in verifiers:
            verifiers[record.partition] = STRICT.verifier(record.partition)
        verifiers[record.partition].feed(head, record.value)
        if head:
            continue
        leaf = msgspec.json.decode(record.value)
        where = (leaf["src"]["p"], leaf["src"]["o"], leaf["src"]["i"])
        positions[where] += 1
        found.leaves += 1
        found.outcomes[leaf["out"]] += 1
        for destination, reason in leaf["dest"].items():
            if leaf["out"] == "accepted" and reason == "granted":
                granted.setdefault(destination, Counter())[where] += 1
    found.doubled = sum(count - 1 for count in positions.values())
    covered = {(p, o) for p, o, _ in positions}
    for record in read_topic(settings.kafka, settings.topic(Topic.EVENTS_RAW)):
        found.missing += (record.partition, record.offset) not in covered
    for partition, verifier in verifiers.items():
        report = verifier.report()
        if not report.ok:
            found.broken_logs.append(f"{partition}: {report.failure}")
    return granted


def _read_windows(settings: Settings, found: Findings) -> None:
    decoder = msgspec.json.Decoder(Window | MinuteClosed)
    for record in read_topic(settings.kafka, settings.topic(Topic.METRICS_WINDOWS)):
        assert record.value is not None
        value = decoder.decode(record.value)
        if isinstance(value, Window):
            for cell in value.cells:
                found.window_sum[cell.outcome] += cell.n


def _read_alerts(settings: Settings, found: Findings) -> None:
    opened: Counter[str] = Counter()
    for record in read_topic(settings.kafka, settings.topic(Topic.ALERTS)):
        assert record.value is not None
        alert = msgspec.json.decode(record.value)
        opened[alert["id"]] += alert["state"] == "open"
    found.opened_twice = sum(count > 1 for count in opened.values())


def ends(settings: Settings, topic: str) -> int:
    """Sum of the end offsets of a topic."""
    return sum(topic_ends(settings.kafka, settings.topic(topic)).values())
