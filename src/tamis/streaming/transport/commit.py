"""Delivers the outputs of a batch and its input offset.

Rules: exactly once means begin, outputs (the table changelog among them), offset, commit, in one transaction of the
input partition's own producer, each step acknowledged before the next. At least once means outputs acknowledged first;
the offset is committed later, and only up to batches whose outputs are. Every error is a fault of the worker: its
outcome is unknown. A transaction that takes longer than its timeout is one too (the coordinator has given it up, and
aiokafka would go on asking for a topic that is gone).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.exceptions import FaustError

from tamis.streaming.transport.table import log_changes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.streaming.transport.batch import Batch


ASK_S = 5.0


async def deliver_in_transaction(producer: Any, batch: Batch, group: str, timeout_s: float) -> None:
    """Outputs and offset in one transaction.

    Args:
        producer: the transactional producer of the batch's input partition.
        batch: a batch its agent has left.
        group: the consumer group whose offset is committed.
        timeout_s: the producer's transaction timeout.

    Raises:
        FaustError: it was not committed in time.
    """
    log_changes(batch)
    try:
        async with asyncio.timeout(timeout_s):
            await _transaction(producer, batch, group)
    except TimeoutError:
        missing = await _missing_topics(producer, batch)
        why = f": there is no topic {', '.join(missing)}" if missing else ""
        raise FaustError(f"the transaction of {batch!r} was not committed in {timeout_s:g} s{why}") from None


async def _transaction(producer: Any, batch: Batch, group: str) -> None:
    await producer.begin_transaction()  # fails at once when another worker has taken over
    sent = await batch.outbox.submit(producer)
    if sent:  # adding the offset meanwhile makes brokers refuse the outputs for a while: one change at a time (KIP-890)
        await asyncio.gather(*sent)
    await producer.send_offsets_to_transaction({batch.state.tp: OffsetAndMetadata(batch.next, "")}, group)
    await producer.commit_transaction()


async def _missing_topics(producer: Any, batch: Batch) -> list[str]:
    """Output topics that the cluster does not know (any more), as far as it answers."""
    try:
        async with asyncio.timeout(ASK_S):
            await producer.client.force_metadata_update()
    except (TimeoutError, KafkaError):
        return []
    known = producer.client.cluster.partitions_for_topic
    return sorted(topic for topic in batch.outbox.topics if known(topic) is None)


async def deliver(producer: Any, batch: Batch) -> None:
    """Outputs only, acknowledged by all in-sync replicas."""
    log_changes(batch)
    sent = await batch.outbox.submit(producer)
    if sent:
        await asyncio.gather(*sent)


async def committed_offsets(consumer: Any, tps: Sequence[TopicPartition]) -> dict[TopicPartition, int | None]:
    """The group's committed offset of each partition, None where there is none."""
    offsets = await asyncio.gather(*map(consumer.committed_offset, tps))
    return dict(zip(tps, offsets, strict=True))
