"""Offsets: nothing is skipped by a rebalance, a marker or a hole, and what retention took is reported."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import AIOKafkaProducer
from confluent_kafka import Producer

from tests.integration.transport.edge import Log, edge_app, name_for, topic_with, watch
from tests.support.headers import BYTES, odd_builder
from tests.support.kafka.records import CommittedOffsets, Feeder, read_all
from tests.support.running import running, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.kafka.cluster import KafkaCluster

pytestmark = pytest.mark.kafka

PARTITIONS = 8
LZ4 = 3


def _feed(kafka: KafkaCluster, topic: str, n: int, start: int = 0, partitions: int = PARTITIONS) -> None:
    feeder = Feeder(kafka.bootstrap)
    for i in range(start, start + n):
        feeder.put(topic, i % partitions, None, b"%d" % i)
    feeder.flush()


def _copies(kafka: KafkaCluster, topic: str, partitions: int = PARTITIONS) -> Counter[int]:
    return Counter(int(message.value()) for message in read_all(kafka.bootstrap, topic, partitions))


@pytest.mark.parametrize("round_", range(2))
def test_a_worker_that_joins_a_new_group_while_data_arrives(kafka: KafkaCluster, tmp_path: Path, round_: int) -> None:
    """Nothing is committed yet: stock Faust skips records here."""
    source, target = topic_with(kafka, f"join{round_}", PARTITIONS), topic_with(kafka, "joined", PARTITIONS)
    group, log, revoked = name_for("join"), Log(), asyncio.Event()
    first = edge_app(kafka, group, tmp_path, worker="0")
    second = edge_app(kafka, group, tmp_path, worker="1")
    for app in (first, second):
        watch(app, source, log, copy_to=target, empty_every_s=None)

    @first.on_partitions_revoked.connect
    async def on_revoked(_app: Any, revoked_tps: Any, **_: Any) -> None:
        if revoked_tps:
            revoked.set()

    async def scene() -> None:
        async with running(first):
            joining = asyncio.create_task(_run_until_drained(second))
            await asyncio.wait_for(revoked.wait(), 30)
            await asyncio.to_thread(_feed, kafka, source, 400)
            await until(lambda: len(log.values()) >= 400, "all records")
            joining.cancel()
            await asyncio.gather(joining, return_exceptions=True)

    asyncio.run(scene())
    assert _copies(kafka, target) == dict.fromkeys(range(400), 1)


async def _run_until_drained(app: Any) -> None:
    async with running(app) as task:
        await asyncio.shield(task)


def test_input_that_retention_took_is_reported_with_the_next_batch(kafka: KafkaCluster, tmp_path: Path) -> None:
    topic, group = topic_with(kafka, "lost", 2), name_for("lost")
    _feed(kafka, topic, 20, partitions=2)
    _consume(kafka, group, topic, tmp_path, 20)
    _feed(kafka, topic, 40, 20, partitions=2)
    kafka.delete_records(topic, {0: 15, 1: 30})  # partition 1 loses everything it has
    log = _consume(kafka, group, topic, tmp_path, 15)
    first = {p: next(s for s in log.seen if s.partition == p) for p in (0, 1)}
    assert (first[0].lost, first[0].first) == ((10, 15), 15)
    assert (first[1].lost, first[1].first, first[1].values) == ((10, 30), 30, ())
    assert [s for s in log.seen if s.lost] == list(first.values()) or len([s for s in log.seen if s.lost]) == 2
    offsets = CommittedOffsets(kafka.bootstrap, group, topic, 2)
    assert offsets.by_partition() == {0: 30, 1: 30}
    offsets.close()


def _consume(kafka: KafkaCluster, group: str, topic: str, tmp_path: Path, n: int) -> Log:
    log = Log()
    app = edge_app(kafka, group, tmp_path)
    watch(app, topic, log, empty_every_s=None)

    async def scene() -> None:
        async with running(app):
            await until(lambda: len(log.values()) >= n, f"{n} records")
            await until(lambda: {s.partition for s in log.seen} == {0, 1}, "both partitions")

    asyncio.run(scene())
    return log


def test_aborted_input_is_not_seen_and_markers_are_committed_past(kafka: KafkaCluster, tmp_path: Path) -> None:
    source, target = topic_with(kafka, "aborted", 2), topic_with(kafka, "clean", 2)
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": source})
    producer.init_transactions(30)
    for i in range(60):
        producer.begin_transaction()
        producer.produce(source, b"junk" if i % 3 == 2 else b"%d" % i, partition=i % 2)
        producer.flush(10)
        producer.abort_transaction(30) if i % 3 == 2 else producer.commit_transaction(30)
    group, log = name_for("aborted"), Log()
    app = edge_app(kafka, group, tmp_path)
    watch(app, source, log, copy_to=target, empty_every_s=0.3)
    offsets = CommittedOffsets(kafka.bootstrap, group, source, 2)

    async def scene() -> None:
        async with running(app):
            await until(lambda: offsets.by_partition() == {0: 60, 1: 60}, "records and markers committed")

    asyncio.run(scene())
    offsets.close()
    assert _copies(kafka, target, 2) == dict.fromkeys((i for i in range(60) if i % 3 != 2), 1)
    assert [s.first for s in log.seen if s.partition == 0][1:] == [s.next for s in log.seen if s.partition == 0][:-1]


def test_a_ten_megabyte_record_passes(kafka: KafkaCluster, tmp_path: Path) -> None:
    source, target, log = topic_with(kafka, "large"), topic_with(kafka, "large-out"), Log()
    feeder = Feeder(kafka.bootstrap, **{"message.max.bytes": 12_000_000})
    large = bytes(10_000_000)
    for value in (b"before", large, b"after"):
        feeder.put(source, 0, None, value)
    feeder.flush()
    app = edge_app(kafka, name_for("large"), tmp_path)
    watch(app, source, log, copy_to=target)

    async def scene() -> None:
        async with running(app):
            await until(lambda: len(log.values()) == 3, "three records")

    asyncio.run(scene())
    assert [m.value() for m in read_all(kafka.bootstrap, target, 1)] == [b"before", large, b"after"]


def test_a_topic_deleted_under_a_running_worker_ends_it_with_a_clear_error(kafka: KafkaCluster, tmp_path: Path) -> None:
    topic, log = topic_with(kafka, "deleted"), Log()
    app = edge_app(kafka, name_for("deleted"), tmp_path)
    watch(app, topic, log, empty_every_s=0.3)
    _feed(kafka, topic, 3, partitions=1)

    async def scene() -> None:
        async with running(app) as task:
            await until(lambda: len(log.values()) == 3, "the records")
            kafka.delete_topics(topic)
            begin = time.monotonic()
            assert await asyncio.wait_for(task, 60) == 70
            print("noticed after", time.monotonic() - begin)
        assert topic in str(app.transport.fault)

    asyncio.run(scene())


def test_a_header_key_that_is_not_utf8_stops_nothing(kafka: KafkaCluster, tmp_path: Path) -> None:
    source, target, log = topic_with(kafka, "headers"), topic_with(kafka, "headers-out"), Log()

    async def odd() -> None:
        async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
            await producer.send_and_wait(source, b"before", partition=0)
            batch = odd_builder(LZ4)
            batch.append(timestamp=None, key=None, value=b"odd", headers=[(BYTES, b"1")])
            batch.append(timestamp=None, key=None, value=b"beside", headers=[])
            await (await producer.send_batch(batch, source, partition=0))
            await producer.send_and_wait(source, b"after", partition=0)

    app = edge_app(kafka, name_for("headers"), tmp_path)
    watch(app, source, log, copy_to=target)

    async def scene() -> None:
        await odd()
        async with running(app):
            await until(lambda: len(log.values()) == 4, "four records")

    asyncio.run(scene())
    values = [b"before", b"odd", b"beside", b"after"]
    assert [m.value() for m in read_all(kafka.bootstrap, target, 1)] == values
