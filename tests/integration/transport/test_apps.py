"""Several apps in one process, and brokers that want to know who comes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tamis.streaming.app import BrokerSecurity
from tests.integration.transport.edge import Log, edge_app, name_for, topic_with, watch
from tests.support.kafka.cluster import KafkaCluster
from tests.support.kafka.records import Feeder, read_all
from tests.support.requirements import require
from tests.support.running import running, until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.kafka


def test_apps_of_one_process_work_side_by_side_and_stop_together(kafka: KafkaCluster, tmp_path: Path) -> None:
    topics = [topic_with(kafka, f"chain{i}", 2) for i in range(4)]
    logs = [Log() for _ in range(3)]
    apps = [edge_app(kafka, name_for(f"role{i}"), tmp_path) for i in range(3)]
    for i, app in enumerate(apps):
        watch(app, topics[i], logs[i], copy_to=topics[i + 1])
    feeder = Feeder(kafka.bootstrap)
    for i in range(200):
        feeder.put(topics[0], i % 2, None, b"%d" % i)
    feeder.flush()

    async def scene() -> None:
        async with running(*apps) as task:
            await until(lambda: len(logs[2].values()) == 200, "the last app")
        assert task.result() == 0

    asyncio.run(scene())
    assert sorted(int(m.value()) for m in read_all(kafka.bootstrap, topics[3], 2)) == list(range(200))


def test_a_fault_of_one_app_stops_all(kafka: KafkaCluster, tmp_path: Path) -> None:
    good, bad = topic_with(kafka, "good"), topic_with(kafka, "bad")
    log = Log()
    apps = [edge_app(kafka, name_for("good"), tmp_path), edge_app(kafka, name_for("bad"), tmp_path)]
    watch(apps[0], good, log)
    watch(apps[1], bad, log, copy_to=name_for("no-such-topic"))

    async def scene() -> None:
        async with running(*apps) as task:
            feeder = Feeder(kafka.bootstrap)
            feeder.put(bad, 0, None, b"x")
            feeder.flush()
            assert await asyncio.wait_for(task, 60) == 70

    asyncio.run(scene())


def test_sasl_ssl_with_scram(tmp_path: Path) -> None:
    require("kafka")
    with KafkaCluster(sasl=True) as cluster:
        assert cluster.sasl is not None
        source, target, log = topic_with(cluster, "secure"), topic_with(cluster, "secure-out"), Log()
        feeder = Feeder(cluster.bootstrap)
        for i in range(50):
            feeder.put(source, 0, None, b"%d" % i)
        feeder.flush()
        ca, user, password = cluster.sasl.ca, cluster.sasl.username, cluster.sasl.password
        right = BrokerSecurity(ca_file=ca, username=user, password=password)
        assert password not in repr(right)
        app = edge_app(cluster, "secure", tmp_path, bootstrap=cluster.bootstrap_sasl, security=right)
        watch(app, source, log, copy_to=target)
        wrong = BrokerSecurity(ca_file=ca, username=user, password="wrong")
        refused = edge_app(cluster, "refused", tmp_path, bootstrap=cluster.bootstrap_sasl, security=wrong)

        async def scene() -> None:
            async with running(app):
                await until(lambda: len(log.values()) == 50, "all records")
            async with running(refused) as task:
                assert await asyncio.wait_for(task, 60) == 70

        asyncio.run(scene())
        assert len(list(read_all(cluster.bootstrap, target, 1))) == 50
