"""A batch of records of one input partition, and the transaction around its outputs.

    @app.agent(batch_topic(app, "events.raw"))
    async def clean(stream):
        async for batch in stream:
            async with batch:
                batch.send("events.clean", [(key, value), ...])

Rules: `send` encodes and keeps; everything goes out on leaving `async with`: outputs, table changelog and the input
offset in one transaction when exactly once, else outputs first and the offset after them. Leaving hands the batch
over: the agent may get a batch of another partition while this one commits, never one of the same partition; what must
wait for the commit goes through `after_commit`. Any failure, also inside the block, ends the worker; nothing is
retried. A batch must be entered exactly once and only used inside the block.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self

from tamis.streaming.transport.outbox import Item, Outbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import TracebackType

    from tamis.streaming.transport.lane import Lane
    from tamis.streaming.transport.partition import Cut, PartitionState


class Batch:
    """Records of one partition, in order.

    Attributes:
        topic: the input topic.
        partition: the input partition.
        records: objects with `offset`, `timestamp` (ms), `timestamp_type`, `key`, `value` and `headers`; may be empty,
            and is after the block.
        count: how many records the batch has (or had).
        first: first fetch position covered.
        next: fetch position after the batch; `[first, next)` is what it covers.
        clock: ms. The last record's timestamp. For an empty batch, a time before which nothing more can come: read
            before the broker said that nothing is left, less the topic's delay; under `time_source = record` the
            highest record timestamp handed out.
        lost: `[start, first)` if retention removed unread records directly before this batch, else None.
        local: the agent's own state for this partition; fresh after every rebalance.
    """

    __slots__ = (
        "_lane",
        "after_commit",
        "changes",
        "clock",
        "count",
        "entered_at",
        "first",
        "handed_at",
        "local",
        "lost",
        "next",
        "outbox",
        "partition",
        "records",
        "state",
        "topic",
    )

    def __init__(self, lane: Lane, state: PartitionState, cut: Cut, clock: int, outbox: Outbox) -> None:
        self._lane, self.state, self.outbox = lane, state, outbox
        self.topic, self.partition = state.tp.topic, state.tp.partition
        self.records, self.first, self.next, self.lost = cut.records, cut.first, cut.next, cut.lost
        self.count, self.clock, self.local = len(cut.records), clock, state.local
        self.changes: dict[Any, dict[Any, Any]] = {}  # BatchTable -> key -> value, None for a deletion
        self.after_commit: list[Callable[[], None]] = []
        self.handed_at = time.monotonic()
        self.entered_at: float | None = None

    @property
    def committed(self) -> int:
        """The offset up to which this partition was processed before this batch (and committed, if ever any was)."""
        return self.lost[0] if self.lost else self.first

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Any]:
        return iter(self.records)

    def __repr__(self) -> str:
        return f"<Batch {self.topic}[{self.partition}] {self.first}..{self.next} n={self.count}>"

    @property
    def resumed_at(self) -> int | None:
        """What the group had committed when this generation began; None for a partition it never read."""
        return self.state.resumed_at

    def send(
        self,
        topic: str,
        items: Iterable[Item],
        partition: int | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
        timestamp_ms: int | None = None,
    ) -> None:
        """Add outputs for one partition.

        Args:
            topic: the output topic.
            items: (key, value) pairs of bytes or None.
            partition: the output partition; None means the input partition's number.
            headers: the same headers for every record.
            timestamp_ms: record timestamp; None means now.
        """
        self.outbox.add(topic, self.partition if partition is None else partition, items, headers, timestamp_ms)

    def send_keyed(
        self,
        topic: str,
        items: Iterable[Item],
        partitions: int,
        headers: Sequence[tuple[str, bytes]] = (),
        timestamp_ms: int | None = None,
    ) -> None:
        """Add outputs, each for the partition of its key (the Java client's hash).

        Args:
            topic: the output topic.
            items: (key, value) pairs of bytes or None; records without a key go to partition 0.
            partitions: partition count of the output topic.
            headers: the same headers for every record.
            timestamp_ms: record timestamp; None means now.
        """
        self.outbox.add_keyed(topic, items, partitions, headers, timestamp_ms)

    def passed(self) -> None:
        """The agent went on to its next event."""
        self._lane.passed(self)

    async def __aenter__(self) -> Self:
        await self._lane.enter(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            await self._lane.leave(self)
        elif isinstance(error, Exception):
            await self._lane.fail(error)
