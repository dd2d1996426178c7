"""The transport on the embedded broker: wiring only, because its transactions are a show (see tamis.kafka.embedded)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tamis.kafka.embedded import EmbeddedBroker
from tamis.streaming.app import EdgeTuning, Guarantee, make_app
from tamis.streaming.transport.topic import batch_topic
from tests.support.kafka.records import CommittedOffsets, Feeder, read_all
from tests.support.running import running, until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.embedded

PARTITIONS = 2
EVENTS = 2_000


def _feed(bootstrap: str) -> None:
    feeder = Feeder(bootstrap)
    for i in range(EVENTS):
        feeder.put("in", i % PARTITIONS, b"k", b"%d" % i)
    feeder.flush()


def _app(bootstrap: str, tmp_path: Path, guarantee: Guarantee) -> Any:
    tuning = EdgeTuning(session_timeout_s=6.0, heartbeat_s=1.0, rebalance_timeout_s=15.0)
    return make_app(
        "embedded", bootstrap=bootstrap, datadir=tmp_path, guarantee=guarantee, check_crcs=False, tuning=tuning
    )


@pytest.mark.parametrize("guarantee", ["exactly_once", "at_least_once"])
def test_a_worker_copies_and_idles(tmp_path: Path, guarantee: Guarantee) -> None:
    empties: list[int] = []
    with EmbeddedBroker({"in": PARTITIONS, "out": PARTITIONS}) as broker:
        _feed(broker.bootstrap)
        app = _app(broker.bootstrap, tmp_path, guarantee)

        async def agent(stream: Any) -> None:
            async for batch in stream:
                async with batch:
                    batch.send("out", [(r.key, r.value) for r in batch])
                    if not batch.records:
                        empties.append(batch.partition)

        app.agent(batch_topic(app, "in", empty_every_s=0.3))(agent)
        offsets = CommittedOffsets(broker.bootstrap, "embedded", "in", PARTITIONS)

        async def scene() -> None:
            async with running(app) as task:
                await until(lambda: set(empties) == {0, 1}, "empty batches of both partitions")
                if guarantee == "at_least_once":
                    await until(lambda: offsets.total() == EVENTS, "commits")
            assert task.result() == 0

        asyncio.run(scene())
        offsets.close()
        copied = [int(m.value()) for m in read_all(broker.bootstrap, "out", PARTITIONS) if m.value().isdigit()]
    assert sorted(copied) == list(range(EVENTS))


def test_a_batch_topic_with_two_agents_is_refused(tmp_path: Path) -> None:
    with EmbeddedBroker({"in": PARTITIONS}) as broker:
        app = _app(broker.bootstrap, tmp_path, "at_least_once")
        topic = batch_topic(app, "in")

        async def agent(stream: Any) -> None:
            async for batch in stream:
                async with batch:
                    pass

        app.agent(topic, name="one")(agent)
        app.agent(topic, name="two")(agent)

        async def scene() -> None:
            async with running(app) as task:
                assert await asyncio.wait_for(task, 30) == 70

        asyncio.run(scene())
    assert "needs exactly one agent" in str(app.transport.fault)
