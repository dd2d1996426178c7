"""Taking records in bulk gives what aiokafka's own unpacking gives."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka.consumer.fetcher import FetchError, FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException, OffsetOutOfRangeError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition

from tamis.streaming.transport.unpack import take

TP = TopicPartition("t", 0)
READ_COMMITTED = 1
BASE_OFFSET_BYTES = 8


def _record_batch(base: int, n: int, producer: int = -1) -> bytes:
    builder = BatchBuilder(100_000, 3, is_transactional=int(producer >= 0))
    for i in range(n):
        builder.append(timestamp=1_000 + base + i, key=b"k", value=b"%d" % (base + i))
    builder._set_producer_state(producer, 0, 0)
    raw = bytearray(builder._build())
    raw[:BASE_OFFSET_BYTES] = base.to_bytes(BASE_OFFSET_BYTES, "big")  # not covered by the checksum
    return bytes(raw)


class State:
    def __init__(self, position: int) -> None:
        self.position, self.paused = position, False

    def consumed_to(self, position: int) -> None:
        self.position = position


class Assignment:
    active = True

    def __init__(self, position: int) -> None:
        self.state = State(position)

    def state_value(self, tp: Any) -> State:
        return self.state


class Fetcher:
    """The part of aiokafka's fetcher that holds fetched records."""

    def __init__(self, raw: bytes, at: int, aborted: list[tuple[int, int]] | None = None) -> None:
        self.assignment = Assignment(at)
        self._wait_consume_future = None
        self.woken = 0
        source = PartitionRecords(TP, MemoryRecords(raw), aborted, at, None, None, True, READ_COMMITTED)
        found = FetchResult(TP, assignment=self.assignment, partition_records=source, backoff=0)
        self._records: dict[TopicPartition, Any] = {TP: found}

    def _notify(self, future: Any) -> None:
        self.woken += 1

    def position(self) -> int:
        return self.assignment.state.position


def taken(fetcher: Any, tp: TopicPartition, most: int) -> list[Any]:
    return take(fetcher, tp, most, 1 << 20)[0]


def test_all_record_batches_are_taken_and_the_partition_is_fetched_again() -> None:
    fetcher = Fetcher(_record_batch(0, 3) + _record_batch(3, 2), 0)
    records = taken(fetcher, TP, 100)
    assert [(r.offset, r.timestamp, r.key, r.value) for r in records] == [
        (i, 1_000 + i, b"k", b"%d" % i) for i in range(5)
    ]
    assert (fetcher.position(), fetcher._records, fetcher.woken) == (5, {}, 1)
    assert taken(fetcher, TP, 100) == []


def test_a_record_batch_is_never_split_and_the_rest_waits() -> None:
    fetcher = Fetcher(_record_batch(0, 3) + _record_batch(3, 3) + _record_batch(6, 3), 0)
    assert [r.offset for r in taken(fetcher, TP, 4)] == [0, 1, 2, 3, 4, 5]
    assert (fetcher.position(), fetcher.woken) == (6, 0)
    assert [r.offset for r in taken(fetcher, TP, 4)] == [6, 7, 8]
    assert fetcher.woken == 1


def test_records_below_the_position_are_dropped() -> None:
    assert [r.offset for r in taken(Fetcher(_record_batch(10, 5), 13), TP, 100)] == [13, 14]


def test_aborted_transactions_are_skipped_and_passed() -> None:
    raw = _record_batch(0, 2, producer=7) + _record_batch(2, 2, producer=8) + _record_batch(4, 1, producer=7)
    fetcher = Fetcher(raw, 0, aborted=[(7, 0)])
    assert [r.offset for r in taken(fetcher, TP, 100)] == [2, 3]
    assert fetcher.position() == 5


def test_a_broken_checksum_is_an_error() -> None:
    raw = bytearray(_record_batch(0, 3))
    raw[-1] ^= 1
    with pytest.raises(CorruptRecordException):
        taken(Fetcher(bytes(raw), 0), TP, 100)


def test_what_the_broker_refused_is_raised_once() -> None:
    async def scene() -> None:
        fetcher = Fetcher(_record_batch(0, 1), 0)
        fetcher._records[TP] = FetchError(error=OffsetOutOfRangeError({TP: 0}), backoff=0)
        with pytest.raises(OffsetOutOfRangeError):
            taken(fetcher, TP, 100)
        assert taken(fetcher, TP, 100) == []

    asyncio.run(scene())


def test_records_of_a_position_that_was_left_are_dropped() -> None:
    fetcher = Fetcher(_record_batch(0, 3), 0)
    fetcher.assignment.state.position = 9
    assert taken(fetcher, TP, 100) == []
    assert fetcher.woken == 1


def test_bytes_are_counted_and_bounded_by_whole_record_batches() -> None:
    fetcher = Fetcher(_record_batch(10, 3) + _record_batch(13, 3) + _record_batch(16, 3), 10)
    records, size = take(fetcher, TP, 100, 7)
    assert ([record.offset for record in records], size) == ([10, 11, 12, 13, 14, 15], 12)
    records, size = take(fetcher, TP, 100, 7)
    assert ([record.offset for record in records], size) == ([16, 17, 18], 6)
    assert take(fetcher, TP, 100, 7) == ([], 0)
