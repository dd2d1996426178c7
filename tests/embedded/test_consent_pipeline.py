"""The consent role, the follower and a view in one process on the embedded broker, as the demo has them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from confluent_kafka import Producer

from tamis.domain.consent.model import Status
from tamis.kafka.embedded import EmbeddedBroker
from tamis.kafka.follower import KafkaStateSource
from tamis.services.replica import ReplicaPolicy, open_replica
from tamis.settings import SetupError
from tamis.stores.consent_view import LmdbConsentView
from tamis.streaming.run import serve_apps
from tests.support.consent_worker import KEYS, ConsentJob, build

pytestmark = pytest.mark.embedded

LIMIT_S = 60.0


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not condition():  # noqa: ASYNC110 - the condition lies in another process or task
            await asyncio.sleep(0.01)


def test_a_segment_consent_event_reaches_a_view_in_the_same_process(tmp_path: Path) -> None:
    job = ConsentJob(prefix="demo.", bootstrap="", guarantee="at_least_once", partitions=2)
    stated = time.time_ns() // 1_000_000

    def statuses(view: LmdbConsentView, purpose: str) -> list[Status]:
        view.version()
        record = view.get(KEYS.device("device-1"))
        return [] if record is None else [v.status for v in record.purposes.get(f"gdpr/{purpose}", ())]

    async def story(broker: EmbeddedBroker) -> None:
        (tmp_path / "faust").mkdir()
        app = build(msgspec.structs.replace(job, bootstrap=broker.bootstrap), tmp_path / "faust")
        source = KafkaStateSource(broker.kafka_settings(), "demo.consent.state")
        replica = await open_replica(source, tmp_path / "replica", ReplicaPolicy(poll_s=0.1))
        view = LmdbConsentView(tmp_path / "replica", writer=replica.writer)
        stop = asyncio.Event()
        serving = asyncio.create_task(serve_apps([app], stop, exit_hard=False))
        following = asyncio.create_task(replica.follow(stop))
        await until(lambda: view.gate(time.time_ns() // 1_000_000, 10) is None)
        send(broker, consent_event(stated, {"Analytics": True, "Advertising": False}))
        await until(lambda: statuses(view, "analytics") == [Status.GRANTED])
        assert statuses(view, "marketing") == [Status.DENIED]
        send(broker, consent_event(stated + 1, {"Advertising": True}))
        await until(lambda: statuses(view, "analytics") == [Status.DENIED, Status.GRANTED])
        assert statuses(view, "marketing") == [Status.GRANTED, Status.DENIED]
        stop.set()
        assert await serving == 0
        await following
        view.close()
        await replica.close()

    with EmbeddedBroker(job.topics()) as broker:
        asyncio.run(story(broker))


def consent_event(moment: int, preferences: dict[str, bool]) -> bytes:
    body = {
        "type": "track", "event": "Segment Consent Preference Updated", "anonymousId": "device-1", "messageId": "m",
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment // 1000)) + f".{moment % 1000:03}Z",
        "context": {"consent": {"categoryPreferences": preferences}},
    }  # fmt: skip
    return json.dumps(body).encode()


def send(broker: EmbeddedBroker, body: bytes) -> None:
    producer = Producer({"bootstrap.servers": broker.bootstrap, "log_level": 0})
    producer.produce("demo.consent.raw", body, partition=1)
    assert producer.flush(20) == 0


def test_a_missing_topic_is_said_clearly() -> None:
    async def ask(broker: EmbeddedBroker) -> None:
        source = KafkaStateSource(broker.kafka_settings(), "nowhere")
        try:
            await source.bounds()
        finally:
            await source.close()

    with EmbeddedBroker({"somewhere": 1}) as broker, pytest.raises(SetupError, match="there is no topic nowhere"):
        asyncio.run(ask(broker))
