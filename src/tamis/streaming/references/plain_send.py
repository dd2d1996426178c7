"""Reference (b): the plain job in an aiokafka loop with ``send()`` for each record, one transaction per poll.

What most teams write first. Usage:
``python -m tamis.streaming.references.plain_send BOOTSTRAP GROUP INPUT OUTPUTS...``.
"""

import asyncio
import sys

import aiokafka
from aiokafka.structs import TopicPartition

from tamis.streaming.references.step import step


async def main(bootstrap: str, group: str, source: str, outputs: tuple[str, ...]) -> None:
    """Works until it is stopped."""
    consumer = aiokafka.AIOKafkaConsumer(
        source, bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False, auto_offset_reset="earliest",
        isolation_level="read_committed",
    )  # fmt: skip
    producer = aiokafka.AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, transactional_id=f"{group}-tx",
        compression_type="lz4", linger_ms=20, max_batch_size=256_000,
    )  # fmt: skip
    await consumer.start()
    await producer.start()
    while True:
        fetched = await consumer.getmany(timeout_ms=200, max_records=4_000)
        if not fetched:
            continue
        await producer.begin_transaction()
        futures = []
        for tp, records in fetched.items():
            for record in records:
                for output, key, value in step(tp.partition, record.offset, record.value):
                    futures.append(await producer.send(outputs[output], value, key, partition=tp.partition))
        await asyncio.gather(*futures)
        positions = {TopicPartition(*tp): await consumer.position(tp) for tp in fetched}
        await producer.send_offsets_to_transaction(positions, group)
        await producer.commit_transaction()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], tuple(sys.argv[4:])))
