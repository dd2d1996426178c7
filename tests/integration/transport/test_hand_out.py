"""When batches are handed out: idle partitions, delayed topics, gates."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from typing import TYPE_CHECKING

import pytest

from tamis.streaming.transport.topic import batch_topic
from tests.integration.transport.edge import FAST, Log, edge_app, name_for, topic_with, watch
from tests.support.kafka.records import CommittedOffsets, Feeder
from tests.support.running import running, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.kafka.cluster import KafkaCluster

pytestmark = pytest.mark.kafka


def _put(kafka: KafkaCluster, topic: str, *values: bytes, partition: int = 0, timestamp: int = 0) -> None:
    feeder = Feeder(kafka.bootstrap)
    for value in values:
        feeder.put(topic, partition, None, value, timestamp)
    feeder.flush()


@pytest.mark.parametrize("guarantee", ["exactly_once", "at_least_once"])
def test_an_idle_partition_gets_empty_batches_with_a_clock(kafka: KafkaCluster, tmp_path: Path, guarantee: str) -> None:
    topic, log, group = topic_with(kafka, "idle", 2), Log(), name_for("idle")
    _put(kafka, topic, b"a", b"b")
    app = edge_app(kafka, group, tmp_path, guarantee=guarantee)
    watch(app, topic, log, empty_every_s=0.4)

    async def scene() -> None:
        async with running(app):
            await until(lambda: len(log.empties(0)) > 2 and len(log.empties(1)) > 2, "empty batches")

    asyncio.run(scene())
    for partition, end in ((0, 2), (1, 0)):
        empties = log.empties(partition)
        assert {(s.first, s.next) for s in empties} == {(end, end)}
        assert [s.clock for s in empties] == sorted(s.clock for s in empties)
        assert all(0 <= s.at * 1000 - s.clock < 5_000 for s in empties)
    assert log.values() == [b"a", b"b"]
    offsets = CommittedOffsets(kafka.bootstrap, group, topic, 2)
    assert offsets.by_partition()[0] == 2
    offsets.close()


def test_under_record_time_empty_batches_carry_the_highest_record_time(kafka: KafkaCluster, tmp_path: Path) -> None:
    topic, log = topic_with(kafka, "recordtime", 2), Log()
    app = edge_app(kafka, name_for("recordtime"), tmp_path, time_source="record")
    watch(app, topic, log, empty_every_s=0.3)

    async def scene() -> None:
        async with running(app):
            await asyncio.sleep(1.5)  # nothing may come: there is no time yet
            assert log.seen == []
            _put(kafka, topic, b"a", timestamp=1_700_000_000_500)
            _put(kafka, topic, b"b", timestamp=1_700_000_000_200)
            await until(lambda: bool(log.empties(0) and log.empties(1)), "empty batches")

    asyncio.run(scene())
    assert {s.clock for s in log.empties(1)} == {1_700_000_000_500}


def test_a_delayed_record_is_handed_out_when_due_and_not_committed_before(kafka: KafkaCluster, tmp_path: Path) -> None:
    topic, log, group, delay = topic_with(kafka, "delayed"), Log(), name_for("delayed"), 2_500
    app = edge_app(kafka, group, tmp_path)
    watch(app, topic, log, delay_ms=delay, empty_every_s=0.3)
    offsets = CommittedOffsets(kafka.bootstrap, group, topic, 1)
    now = int(time.time() * 1000)
    _put(kafka, topic, b"old", timestamp=now - 60_000)
    due: list[int] = []

    async def scene() -> None:
        async with running(app):
            await until(lambda: log.values() == [b"old"] and len(log.empties()) > 1, "the old record alone")
            assert offsets.total() == 1
            stamp = int(time.time() * 1000) + 1_500
            due.append(stamp + delay)
            _put(kafka, topic, b"young", timestamp=stamp)
            await until(lambda: log.values() == [b"old", b"young"], "the young record")

    asyncio.run(scene())
    young = next(s for s in log.seen if s.values == (b"young",))
    assert young.at * 1000 >= due[0]
    before = [s for s in log.seen[: log.seen.index(young)] if not s.values and s.first == 1]
    assert before
    assert all(s.clock < young.clock and s.next == 1 for s in before)
    assert offsets.total() == 2
    offsets.close()


def test_a_closed_gate_holds_gated_topics_only_and_trips_no_watchdog(kafka: KafkaCluster, tmp_path: Path) -> None:
    gated, free, log = topic_with(kafka, "gated"), topic_with(kafka, "free"), Log()
    tuning = dataclasses.replace(FAST, stuck_after_s=1.0)
    app = edge_app(kafka, name_for("gate"), tmp_path, tuning=tuning)
    watch(app, gated, log, gated=True, empty_every_s=0.3)
    watch(app, free, log, empty_every_s=0.3)
    reason: list[str | None] = ["consent is stale"]
    app.transport.gates += [lambda: None, lambda: reason[0]]

    def seen(topic: str) -> list[bytes]:
        return [value for s in log.seen if s.topic == topic for value in s.values]

    async def scene() -> None:
        async with running(app) as task:
            _put(kafka, gated, b"1")
            _put(kafka, free, b"1")
            await until(lambda: seen(free) == [b"1"], "the free topic")
            await asyncio.sleep(3)  # longer than the watchdog allows a batch in hand
            assert not task.done()
            assert app.transport.gate_reason == "consent is stale"
            assert not [s for s in log.seen if s.topic == gated]
            reason[0] = None
            await until(lambda: seen(gated) == [b"1"], "the gate to open")
            assert app.transport.gate_reason is None
            reason[0] = "again"
            await until(lambda: app.transport.gate_reason == "again", "the gate to close")
            _put(kafka, gated, b"2")
            await asyncio.sleep(1)
            assert seen(gated) == [b"1"]
            reason[0] = None
            await until(lambda: seen(gated) == [b"1", b"2"], "the gate to open again")
        assert task.result() == 0

    asyncio.run(scene())


def test_a_batch_that_is_never_left_ends_the_worker(kafka: KafkaCluster, tmp_path: Path) -> None:
    topic = topic_with(kafka, "stuck")
    app = edge_app(kafka, name_for("stuck"), tmp_path, tuning=dataclasses.replace(FAST, stuck_after_s=1.0))

    async def agent(stream: object) -> None:
        async for batch in stream:  # type: ignore[attr-defined]
            async with batch:
                await asyncio.sleep(3600)

    app.agent(batch_topic(app, topic, empty_every_s=0.2))(agent)

    async def scene() -> None:
        async with running(app) as task:
            assert await asyncio.wait_for(task, 40) == 70
        assert "was not left" in str(app.transport.fault)

    asyncio.run(scene())
