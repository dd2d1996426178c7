"""Delivers the outputs of a batch and its input offset.

Rules: exactly once means begin, outputs (the table changelog among them), offset, commit, in one transaction of the
input partition's own producer, each step acknowledged before the next. At least once means outputs acknowledged first;
the offset is committed later, and only up to batches whose outputs are. Every error is a fault of the worker: its
outcome is unknown.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aiokafka.structs import OffsetAndMetadata, TopicPartition

from tamis.streaming.transport.table import log_changes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.streaming.transport.batch import Batch


async def deliver_in_transaction(producer: Any, batch: Batch, group: str) -> None:
    """Outputs and offset in one transaction.

    Args:
        producer: the transactional producer of the batch's input partition.
        batch: a batch its agent has left.
        group: the consumer group whose offset is committed.
    """
    log_changes(batch)
    await producer.begin_transaction()  # fails at once when another worker has taken over
    sent = await batch.outbox.submit(producer)
    if sent:  # adding the offset meanwhile makes brokers refuse the outputs for a while: one change at a time (KIP-890)
        await asyncio.gather(*sent)
    await producer.send_offsets_to_transaction({batch.state.tp: OffsetAndMetadata(batch.next, "")}, group)
    await producer.commit_transaction()


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
