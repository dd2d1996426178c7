"""Reference (a): a bare aiokafka loop that reads batches and writes as many records as the plain job, with no work.

One transaction per partition batch, ``create_batch``/``send_batch``, lz4 level 1: the floor of what the client costs.
Usage: ``python -m tamis.streaming.references.bare_copy BOOTSTRAP GROUP INPUT CLEAN CRM AUDIT``.
"""

import asyncio
import sys
from typing import Any

import aiokafka
from aiokafka.structs import TopicPartition

from tamis.streaming.transport.compression import use_fast_lz4

_VALUE = b"x" * 255
_CLEAN, _CRM = 7, 5  # of ten events


async def main(bootstrap: str, group: str, source: str, outputs: tuple[str, str, str]) -> None:
    """Copies until it is stopped."""
    use_fast_lz4()
    consumer = aiokafka.AIOKafkaConsumer(
        source, bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False, auto_offset_reset="earliest",
        isolation_level="read_committed", max_partition_fetch_bytes=512 << 10,
    )  # fmt: skip
    producer = aiokafka.AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, transactional_id=f"{group}-tx",
        compression_type="lz4", linger_ms=0, max_batch_size=512_000,
    )  # fmt: skip
    await consumer.start()
    await producer.start()
    while True:
        fetched = await consumer.getmany(timeout_ms=200)
        if fetched:
            await _copy(consumer, producer, group, fetched, outputs)


async def _copy(consumer: Any, producer: Any, group: str, fetched: Any, outputs: tuple[str, str, str]) -> None:
    await producer.begin_transaction()
    futures, positions = [], {}
    for tp, records in fetched.items():
        shares = (len(records) * _CLEAN // 10, len(records) * _CRM // 10, len(records))
        for topic, count in zip(outputs, shares, strict=True):
            futures += await _write(producer, topic, tp.partition, count)
        positions[TopicPartition(*tp)] = await consumer.position(tp)
    await asyncio.gather(*futures)
    await producer.send_offsets_to_transaction(positions, group)
    await producer.commit_transaction()


async def _write(producer: Any, topic: str, partition: int, count: int) -> list[Any]:
    futures, batch = [], producer.create_batch()
    for _ in range(count):
        if batch.append(timestamp=None, key=None, value=_VALUE) is None:
            futures.append(await producer.send_batch(batch, topic, partition=partition))
            batch = producer.create_batch()
            batch.append(timestamp=None, key=None, value=_VALUE)
    if batch.record_count():
        futures.append(await producer.send_batch(batch, topic, partition=partition))
    return futures


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], (sys.argv[4], sys.argv[5], sys.argv[6])))
