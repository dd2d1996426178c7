from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from tamis.streaming.transport.compression import use_fast_lz4
from tamis.streaming.transport.outbox import Item, Outbox, partition_of

LZ4 = 3


class Producer:
    """Keeps what it is given, as bytes on the wire."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, int, list[Any]]] = []
        self._offsets: dict[tuple[str, int], int] = {}

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> asyncio.Future[Any]:
        records = _decode(bytes(batch._build()))
        base = self._offsets.get((topic, partition), 100)
        self._offsets[topic, partition] = base + len(records)
        self.sent.append((topic, partition, records))
        delivered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        delivered.set_result(type("Metadata", (), {"offset": base})())
        return delivered


def _decode(raw: bytes) -> list[Any]:
    memory, records = MemoryRecords(raw), []
    while memory.has_next():
        batch = memory.next_batch()
        assert batch.validate_crc()
        records += list(batch)
    return records


def _outbox(size: int = 1_000, codec: int = 0) -> Outbox:
    return Outbox(lambda: BatchBuilder(size, codec, is_transactional=1))


def _submit(outbox: Outbox) -> Producer:
    producer = Producer()
    asyncio.run(_and_forget(outbox, producer))
    return producer


async def _and_forget(outbox: Outbox, producer: Producer) -> None:
    await outbox.submit(producer)


def test_nothing_is_sent_before_submit_and_all_of_it_then() -> None:
    outbox = _outbox()
    outbox.add("a", 1, [(b"k", b"v"), (None, b"w"), (b"t", None)], [("h", b"1")], 77)
    outbox.add("b", 0, [(b"k", b"x")], (), None)
    sent = _submit(outbox).sent
    assert [(topic, partition, len(records)) for topic, partition, records in sent] == [("a", 1, 3), ("b", 0, 1)]
    first = sent[0][2]
    assert [(r.key, r.value, r.timestamp, r.headers) for r in first] == [
        (b"k", b"v", 77, [("h", b"1")]),
        (None, b"w", 77, [("h", b"1")]),
        (b"t", None, 77, [("h", b"1")]),
    ]
    assert sent[1][2][0].timestamp > 1_700_000_000_000


def test_full_record_batches_keep_the_order() -> None:
    outbox = _outbox(size=500)
    values = [b"%04d" % i * 10 for i in range(60)]
    outbox.add("t", 0, [(None, v) for v in values[:30]], (), 1)
    outbox.add("t", 0, [(None, v) for v in values[30:]], (), 1)
    sent = _submit(outbox).sent
    assert len(sent) > 3
    assert [r.value for _, _, records in sent for r in records] == values


def test_a_record_larger_than_the_batch_size_travels_alone() -> None:
    outbox = _outbox(size=500)
    outbox.add("t", 0, [(None, b"a"), (None, bytes(5_000)), (None, b"b")], (), 1)
    assert [len(r.value) for _, _, records in _submit(outbox).sent for r in records] == [1, 5_000, 1]


def test_last_offset_counts_from_the_last_record_batch() -> None:
    outbox = _outbox(size=500)
    outbox.add("t", 0, [(None, b"x" * 40)] * 30, (), 1)
    _submit(outbox)
    assert outbox.last_offset("t", 0) == 129
    assert outbox.last_offset("t", 1) is None


def test_keyed_records_go_where_the_java_client_puts_them() -> None:
    outbox = _outbox()
    items: list[Item] = [(b"%d" % i, b"v") for i in range(50)]
    outbox.add_keyed("t", [*items, (None, b"n")], 4, (), 1)
    sent = {partition: [r.key for r in records] for _, partition, records in _submit(outbox).sent}
    assert {p for p, keys in sent.items() for k in keys if k and partition_of(k, 4) != p} == set()
    assert None in sent[0]
    assert sum(map(len, sent.values())) == 51


# murmur2 values from Apache Kafka's own UtilsTest, then toPositive(hash) % 1000
@pytest.mark.parametrize(
    ("key", "murmur2"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_partition_of_a_key_equals_the_java_client(key: bytes, murmur2: int) -> None:
    assert partition_of(key, 1000) == (murmur2 & 0x7FFFFFFF) % 1000


def test_lz4_round_trip_at_level_one() -> None:
    use_fast_lz4()
    outbox = _outbox(size=1_000_000, codec=LZ4)
    values = [b'{"event":"page_view","n":%d}' % i for i in range(2_000)]
    outbox.add("t", 0, [(None, v) for v in values], (), 1)
    assert [r.value for _, _, records in _submit(outbox).sent for r in records] == values
