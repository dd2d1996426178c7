"""Tables: writes belong to their batch, and the changelog of a transaction restores them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tamis.streaming.transport.topic import batch_topic
from tests.integration.transport.edge import edge_app, name_for
from tests.support.kafka.records import CommittedOffsets, Feeder
from tests.support.running import running, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.kafka.cluster import KafkaCluster

pytestmark = pytest.mark.kafka

PARTITIONS = 4


def _counting_app(kafka: KafkaCluster, group: str, source: str, tmp_path: Path, seen: dict[bytes, bytes]) -> Any:
    app = edge_app(kafka, group, tmp_path, partitions=PARTITIONS)
    table = app.Table("counts", partitions=PARTITIONS, key_type=bytes, value_type=bytes)

    async def agent(stream: Any) -> None:
        async for batch in stream:
            async with batch:
                for record in batch:
                    if record.value == b"forget":
                        del table[record.key]
                        assert record.key not in table
                    else:
                        table[record.key] = b"%d" % (int(table.get(record.key, b"0")) + 1)
                    seen[record.key] = table.get(record.key, b"")

    app.agent(batch_topic(app, source, empty_every_s=None))(agent)
    return app


@pytest.mark.parametrize("events", [40, 12_000])
def test_a_restarted_worker_continues_from_the_changelog(kafka: KafkaCluster, tmp_path: Path, events: int) -> None:
    group = name_for("table")
    source = f"{group}-in"
    kafka.create_topics({source: PARTITIONS})
    kafka.create_topics({f"{group}-counts-changelog": PARTITIONS}, {"cleanup.policy": "compact"})
    offsets = CommittedOffsets(kafka.bootstrap, group, source, PARTITIONS)
    seen: dict[bytes, bytes] = {}

    def round_(value: bytes, total: int) -> None:
        feeder = Feeder(kafka.bootstrap)
        for i in range(events):
            feeder.put(source, i % PARTITIONS, b"k%d" % i, value)
        feeder.flush()
        app = _counting_app(kafka, group, source, tmp_path, seen)

        async def scene() -> None:
            async with running(app):
                await until(lambda: offsets.total() == total, "all committed")

        asyncio.run(scene())

    round_(b"count", events)
    round_(b"count", 2 * events)
    assert set(seen.values()) == {b"2"}
    round_(b"forget", 3 * events)
    round_(b"count", 4 * events)
    assert set(seen.values()) == {b"1"}
    offsets.close()
