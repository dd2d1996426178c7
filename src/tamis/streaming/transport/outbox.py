"""Outputs of one batch, encoded as they are sent, kept until the batch is left.

Rules: records go straight into the producer's record batches (no object and no future per record); a full record batch
is followed by another, so order per topic and partition is kept; nothing leaves before `submit`. A single record larger
than the record batch size travels alone. `partition_of` equals the Java client's default partitioner.
"""

from __future__ import annotations

import asyncio
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from aiokafka.partitioner import murmur2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Item = tuple[bytes | None, bytes | None]


@lru_cache(maxsize=65_536)
def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key, as the Java client's default partitioner computes it.

    Args:
        key: the record key.
        partitions: partition count of the topic.
    """
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)


class RecordBatch:
    """A record batch being filled: aiokafka's builder, without the cost of its Python wrapper on every record."""

    __slots__ = ("_write", "builder", "count")

    def __init__(self, builder: Any) -> None:
        self.builder, self.count = builder, 0
        self._write = builder._builder.append  # noqa: SLF001 - half the cost of a record; pinned by the contract test

    def append(self, timestamp_ms: int, key: bytes | None, value: bytes | None, headers: list[Any]) -> bool:
        """Add a record; False when the batch is full. The first record always fits."""
        if self._write(self.count, timestamp_ms, key, value, headers) is None:
            return False
        self.count += 1
        return True

    def finish(self) -> Any:
        """The builder, ready to be sent."""
        self.builder._relative_offset = self.count  # noqa: SLF001 - what its own append keeps
        self.builder.close()
        return self.builder


class Outbox:
    """Record batches of one producer, by topic and partition."""

    __slots__ = ("_batches", "_new", "_submitted", "topics")

    def __init__(self, new_record_batch: Callable[[], Any]) -> None:
        self._new = new_record_batch
        self._batches: dict[tuple[str, int], list[RecordBatch]] = {}
        self._submitted: dict[tuple[str, int], tuple[asyncio.Future[Any], int]] = {}
        self.topics: set[str] = set()  # of everything submitted

    def add(
        self,
        topic: str,
        partition: int,
        items: Iterable[Item],
        headers: Sequence[tuple[str, bytes]],
        timestamp_ms: int | None,
    ) -> None:
        """Encode (key, value) pairs for one partition; `timestamp_ms` None means now."""
        stamp = time.time_ns() // 1_000_000 if timestamp_ms is None else timestamp_ms
        chain = self._batches.get((topic, partition))
        if chain is None:
            chain = self._batches[topic, partition] = [RecordBatch(self._new())]
        pairs = list(headers)
        for key, value in items:
            if not chain[-1].append(stamp, key, value, pairs):  # full
                chain.append(RecordBatch(self._new()))
                chain[-1].append(stamp, key, value, pairs)

    def add_keyed(
        self,
        topic: str,
        items: Iterable[Item],
        partitions: int,
        headers: Sequence[tuple[str, bytes]],
        timestamp_ms: int | None,
    ) -> None:
        """Encode (key, value) pairs, each for the partition of its key; a missing key goes to partition 0."""
        by_partition: dict[int, list[Item]] = {}
        for item in items:
            key = item[0]
            partition = 0 if key is None else partition_of(key, partitions)
            by_partition.setdefault(partition, []).append(item)
        for partition, part in by_partition.items():
            self.add(topic, partition, part, headers, timestamp_ms)

    async def submit(self, producer: Any) -> list[asyncio.Future[Any]]:
        """Give everything to the producer; the futures resolve on delivery."""
        chains, self._batches = self._batches, {}
        self.topics.update(topic for topic, _ in chains)
        parts = [self._submit_chain(producer, topic, partition, c) for (topic, partition), c in chains.items()]
        return [future for part in await asyncio.gather(*parts) for future in part]

    async def _submit_chain(
        self, producer: Any, topic: str, partition: int, chain: list[RecordBatch]
    ) -> list[asyncio.Future[Any]]:
        futures = []
        for batch in chain:  # aiokafka takes the next one of a partition when the one before it is on its way
            if batch.count:
                future = await producer.send_batch(batch.finish(), topic, partition=partition)
                futures.append(future)
                self._submitted[topic, partition] = (future, batch.count)
        return futures

    def last_offset(self, topic: str, partition: int) -> int | None:
        """Offset of the last record delivered to a partition; None if none was sent there."""
        sent = self._submitted.get((topic, partition))
        return None if sent is None else int(sent[0].result().offset) + sent[1] - 1
