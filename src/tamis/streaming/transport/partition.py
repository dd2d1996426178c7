"""State of one assigned input partition during one group generation.

Rules: fetched records wait here in chunks; a batch never spans a lost interval. `expect` is the next offset an agent
must process (the guard), `position` the next offset to hand out, `fetched` the next offset to fetch. Batches cover
fetch positions, so transaction markers and compaction holes belong to the batch after them. At most one batch of a
partition is away (with the agent or being committed) at a time.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from aiokafka.structs import TopicPartition

Interval = tuple[int, int]


@dataclass(slots=True)
class Chunk:
    """Fetched records in order, the fetch position after them, the interval lost before them; about how many bytes."""

    records: list[Any]
    end: int
    lost: Interval | None = None
    size: int = 0


@dataclass(slots=True)
class Cut:
    """What the next batch covers: [first, next), its records and the interval lost directly before `first`."""

    records: list[Any]
    first: int
    next: int
    lost: Interval | None = None


@dataclass(slots=True)
class PartitionState:
    """One input partition; offsets as described in the module.

    `resumed_at` is what the group had committed when the generation began, None for a partition it never read.
    """

    tp: TopicPartition
    expect: int
    position: int
    fetched: int
    delivered: int
    committed: int
    chunks: deque[Chunk] = field(default_factory=deque)
    local: dict[str, object] = field(default_factory=dict)
    away: bool = False
    last_batch_at: float = 0.0
    not_before: float = 0.0
    proven_end: int | None = None
    proven_clock: int | None = None
    resumed_at: int | None = None
    behind_since: float | None = None

    @classmethod
    def at(cls, tp: TopicPartition, offset: int) -> PartitionState:
        """A partition that starts at its committed offset."""
        return cls(tp=tp, expect=offset, position=offset, fetched=offset, delivered=offset, committed=offset)

    def buffered(self) -> int:
        """Number of records waiting."""
        return sum(len(chunk.records) for chunk in self.chunks)

    def size(self) -> int:
        """Bytes of the records waiting; an estimate once a part of them was handed out."""
        return sum(chunk.size for chunk in self.chunks)

    def append(self, records: list[Any], end: int, size: int = 0) -> None:
        """Add fetched records of `size` bytes; `end` is the fetch position after them."""
        if self.chunks:
            self.chunks[-1].records += records
            self.chunks[-1].end = end
            self.chunks[-1].size += size
        else:
            self.chunks.append(Chunk(records, end, size=size))
        self.fetched = end

    def lose(self, until: int) -> Interval:
        """Retention removed what lies before `until`; returns the interval lost."""
        lost = (self.fetched, until)
        self.chunks.append(Chunk([], until, lost))
        self.fetched = until
        return lost

    def due(self, most: int, latest: int | None) -> int:
        """How many records of the head chunk may go now: at most `most`, up to the first one later than `latest`."""
        if not self.chunks:
            return 0
        records = self.chunks[0].records
        n = min(most, len(records))
        if latest is None:
            return n
        return next((i for i in range(n) if records[i].timestamp > latest), n)

    def cut(self, n: int) -> Cut:
        """Take the first `n` records of the head chunk (or the lost interval alone) for a batch."""
        chunk = self.chunks[0]
        whole = n == len(chunk.records)
        records = chunk.records if whole else chunk.records[:n]
        lost, chunk.lost = chunk.lost, None
        first = lost[1] if lost else self.position
        if whole:
            self.chunks.popleft()
            following = chunk.end
        else:
            following = chunk.records[n].offset
            chunk.size -= chunk.size * n // len(chunk.records)
            del chunk.records[:n]
        self.position = following
        return Cut(records, first, following, lost)

    def cut_empty(self) -> Cut:
        """An empty cut up to the fetch position (or up to the first waiting record)."""
        first = self.position
        self.position = self.chunks[0].records[0].offset if self.chunks else self.fetched
        return Cut([], first, self.position)
