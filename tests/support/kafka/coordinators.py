"""Which broker coordinates a consumer group or a transactional id: the one to kill in a test of fail-over.

Rules: asked anew at each call, as coordinators move with the leaders of their partitions; node ids are those of
`KafkaCluster.nodes`.
"""

from __future__ import annotations

import asyncio

from aiokafka.client import AIOKafkaClient, CoordinationType


def coordinator_of_group(bootstrap: str, group: str) -> int:
    """Node that keeps a consumer group and its offsets."""
    return asyncio.run(_lookup(bootstrap, CoordinationType.GROUP, group))


def coordinator_of_transactions(bootstrap: str, transactional_id: str) -> int:
    """Node that commits the transactions of one producer."""
    return asyncio.run(_lookup(bootstrap, CoordinationType.TRANSACTION, transactional_id))


async def _lookup(bootstrap: str, kind: int, key: str) -> int:
    client = AIOKafkaClient(bootstrap_servers=bootstrap)
    await client.bootstrap()
    try:
        return int(await client.coordinator_lookup(kind, key))
    finally:
        await client.close()
