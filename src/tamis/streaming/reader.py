"""Reads stretches of other topics outside the consumer group: what a new owner of a partition needs to go on.

Rules: only committed records are returned (``read_committed``); without an end the stretch reaches the high watermark
of the moment of the call, so a record hidden below it by somebody's open transaction is waited for, never skipped;
markers and compaction holes are passed silently; a stretch that cannot be read in time is a fault.
Not handled here: following a topic for ever (the replica does that), offsets of the consumer group.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import aiokafka
from aiokafka.structs import TopicPartition


class ReadTimeoutError(RuntimeError):
    """The end of the stretch was not reached in time (an open transaction below it, or no broker)."""


class Stored(NamedTuple):
    """One committed record."""

    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    timestamp: int = 0


class TopicReader(Protocol):
    """Port of the agents that read other topics when they take a partition over."""

    async def read(self, topic: str, partition: int, start: int = 0, end: int | None = None) -> list[Stored]:
        """Committed records with ``start`` <= offset < ``end`` (None: the high watermark now), in order."""

    async def last_records(self, topic: str, partition: int, count: int) -> list[Stored]:
        """The last ``count`` committed records (fewer when there are fewer), in order."""


class KafkaTopicReader:
    """``TopicReader`` on aiokafka.

    Args:
        client: connection arguments of an aiokafka client: ``bootstrap_servers`` and, where needed, security ones.
        timeout_s: longest wait for the next records of a stretch; longer than the producers' transaction timeout.
        max_fetch_bytes: per partition and fetch.
    """

    def __init__(self, client: Mapping[str, Any], timeout_s: float = 90.0, max_fetch_bytes: int = 4 << 20) -> None:
        self._client = dict(client)
        self._timeout_s = timeout_s
        self._max_fetch_bytes = max_fetch_bytes

    async def read(self, topic: str, partition: int, start: int = 0, end: int | None = None) -> list[Stored]:
        """See ``TopicReader.read``. A ``start`` that retention has overtaken begins at what is left.

        Raises:
            ReadTimeoutError: the end was not reached within ``timeout_s``.
        """
        tp = TopicPartition(topic, partition)
        low, high = await self._bounds(tp)
        return await self._stretch(tp, max(start, low), high if end is None else min(end, high))

    async def last_records(self, topic: str, partition: int, count: int) -> list[Stored]:
        """See ``TopicReader.last_records``: reads ever longer tails, since markers and holes take offsets too.

        Raises:
            ReadTimeoutError: the end was not reached within ``timeout_s``.
        """
        tp = TopicPartition(topic, partition)
        low, high = await self._bounds(tp)
        step = max(2 * count, 16)
        while True:
            start = max(low, high - step)
            found = await self._stretch(tp, start, high)
            if len(found) >= count or start == low:
                return found[-count:] if count else []
            step *= 4

    async def stretches(self, topic: str, partition: int, since_ms: int | None) -> AsyncIterator[Sequence[Stored]]:
        """Committed records from record time ``since_ms`` (None: the first) to the high watermark of now, in order.

        For stretches too long to hold in memory at once.

        Raises:
            ReadTimeoutError: nothing more came within ``timeout_s`` although the end was not reached.
        """
        tp = TopicPartition(topic, partition)
        start, end = await self._bounds(tp)
        if start >= end:
            return
        consumer = self._consumer("read_committed")
        await consumer.start()
        try:
            if since_ms is not None:
                found = (await consumer.offsets_for_times({tp: max(0, since_ms)}))[tp]
                start = end if found is None else found.offset
            consumer.assign([tp])
            consumer.seek(tp, start)
            async for records in self._until(consumer, tp, end):
                yield records
        finally:
            await consumer.stop()

    async def _bounds(self, tp: TopicPartition) -> tuple[int, int]:
        """First offset and high watermark (not the last stable offset, hence ``read_uncommitted``)."""
        consumer = self._consumer("read_uncommitted")
        await consumer.start()
        try:
            low, high = await asyncio.gather(consumer.beginning_offsets([tp]), consumer.end_offsets([tp]))
            return low[tp], high[tp]
        finally:
            await consumer.stop()

    async def _stretch(self, tp: TopicPartition, start: int, end: int) -> list[Stored]:
        if start >= end:
            return []
        consumer = self._consumer("read_committed")
        await consumer.start()
        try:
            consumer.assign([tp])
            consumer.seek(tp, start)
            return await self._collect(consumer, tp, end)
        finally:
            await consumer.stop()

    async def _collect(self, consumer: Any, tp: TopicPartition, end: int) -> list[Stored]:
        return [record async for records in self._until(consumer, tp, end) for record in records]

    async def _until(self, consumer: Any, tp: TopicPartition, end: int) -> AsyncIterator[list[Stored]]:
        deadline = time.monotonic() + self._timeout_s
        while await consumer.position(tp) < end:
            if time.monotonic() > deadline:
                raise ReadTimeoutError(f"{tp.topic}/{tp.partition}: end {end} not reached in {self._timeout_s:g} s")
            for records in (await consumer.getmany(tp, timeout_ms=100)).values():
                deadline = time.monotonic() + self._timeout_s
                yield [
                    Stored(r.offset, r.key, r.value, tuple(r.headers), r.timestamp) for r in records if r.offset < end
                ]

    def _consumer(self, isolation_level: str) -> Any:
        return aiokafka.AIOKafkaConsumer(
            **self._client,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level=isolation_level,
            max_partition_fetch_bytes=self._max_fetch_bytes,
            fetch_max_wait_ms=100,
        )
