"""Small audit logs as the product writes them, and ways to tamper with them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tamis.domain.audit.leaf import LeafFrame
from tamis.domain.audit.log import AuditLog
from tamis.domain.audit.origin import LogOrigin
from tamis.domain.audit.verify import LogVerifier
from tamis.domain.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tamis.domain.audit.report import LogReport

Record = tuple[bool, bytes]
START_MS = 1_700_000_000_000


class LogWriter:
    """Writes a log batch by batch, through the product's own leaf and head.

    Args:
        partition: of the source and the log.
        topic: source topic.
    """

    def __init__(self, partition: int = 0, topic: str = "events.raw") -> None:
        self.log = AuditLog(str(LogOrigin("localhost/tamis", topic.replace("events.raw", "audit.log"), partition)))
        self.frame = LeafFrame("b" * 16, topic, partition)
        self.records: list[Record] = []
        self.topic, self.partition = topic, partition
        self.next = 0
        self.clock = START_MS

    def batch(self, events: Sequence[int], *, lost: tuple[int, int] | None = None, first: int | None = None) -> None:
        """One batch of records with so many events each; 0 stands for an offset without a record."""
        first = lost[1] if lost else self.next if first is None else first
        notices = self.log.notices(lost, self.topic, self.partition)
        leaves: list[bytes] = []
        for offset, number in enumerate(events, first):
            self.clock += 7
            for index in range(number):
                leaves.append(self.leaf(self.log.seq + len(leaves), offset, index))
        after = first + len(events)
        counts = {outcome.value: 0 for outcome in Outcome}
        for leaf in leaves:
            counts[json.loads(leaf)["out"]] += 1
        head = self.log.append(leaves, counts, first, after, self.clock, lost)
        self.records += [(False, leaf) for leaf in (*notices, *leaves)]
        if head is not None:
            self.records.append((True, head))
        self.next = after

    def leaf(self, seq: int, offset: int, index: int) -> bytes:
        """The leaf of one event; its outcome follows from its index in the tree."""
        out = list(Outcome)[seq % 6].value
        return self.frame.leaf(
            occurred_at=self.clock - 5,
            commitment="c" * 32,
            destinations='"dest":{"analytics":"allow"}',
            event_id="e" * 22,
            facts=f'"facts":{{}},"inline":"-","out":"{out}","pid":null,"reg":"gdpr",',
            rule='"rev":{},"rule":"-"',
            seq=seq,
            index=index,
            offset=offset,
            received_at=self.clock,
            why="granted",
        )


def sample(partition: int = 0) -> list[Record]:
    """Five batches: several events a record, offset holes, an empty batch, lost input."""
    writer = LogWriter(partition)
    writer.batch([1, 1, 3, 0, 1])
    writer.batch([2, 1, 1, 1, 1, 1, 1])
    writer.clock += 60_000
    writer.batch([])
    writer.batch([1, 1, 1], lost=(12, 20))
    writer.batch([1] * 9)
    return writer.records


def verify(
    records: Iterable[Record], partition: int = 0, *, at_least_once: bool = False, partial: bool = False
) -> LogReport:
    """Feed all records to a new verifier."""
    verifier = LogVerifier(partition, at_least_once=at_least_once, partial=partial)
    for is_head, value in records:
        verifier.feed(is_head, value)
    return verifier.report()


def edited(record: Record, change: Callable[[dict[str, object]], object]) -> Record:
    """The record with its JSON changed in place, encoded as the product does."""
    value = json.loads(record[1])
    change(value)
    return record[0], json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
