"""The embedded broker serves real clients, transactions included, and its limits are what its page says."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import confluent_kafka
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import TopicPartition
from confluent_kafka import Consumer, KafkaException
from confluent_kafka import TopicPartition as Partition
from confluent_kafka.admin import AdminClient

from tamis.kafka.clients import aiokafka_consumer_options, aiokafka_options, confluent_config
from tamis.kafka.embedded import EmbeddedBroker
from tamis.kafka.embedded_process import EmbeddedBrokerProcess
from tamis.settings import SetupError

pytestmark = pytest.mark.embedded

OUT = TopicPartition("out", 1)
GROUP = "g"


def _committed(broker: EmbeddedBroker) -> int:
    consumer = Consumer({**confluent_config(broker.kafka_settings()), "group.id": GROUP})
    try:
        return int(consumer.committed([Partition("in", 0)], timeout=10)[0].offset)
    finally:
        consumer.close()


async def _transactions(broker: EmbeddedBroker, *values: bytes) -> None:
    producer = AIOKafkaProducer(**aiokafka_options(broker.kafka_settings()), transactional_id="t")
    await producer.start()
    try:
        for offset, value in enumerate(values, start=1):
            async with producer.transaction():
                await producer.send_and_wait("out", value, partition=1)
                await producer.send_offsets_to_transaction({TopicPartition("in", 0): offset}, GROUP)
    finally:
        await producer.stop()


async def _read(broker: EmbeddedBroker, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(
        **aiokafka_consumer_options(broker.kafka_settings()),
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        group_id=GROUP,
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        consumer.assign([OUT, TopicPartition("in", 0)])
        values = [(await asyncio.wait_for(consumer.getone(), 10)).value for _ in range(count)]
        await consumer.commit({TopicPartition("in", 0): 5})
        return values
    finally:
        await consumer.stop()


def test_it_listens_on_loopback_and_has_the_topics_asked_for() -> None:
    with EmbeddedBroker({"in": 3}) as broker:
        broker.create_topic("out", 2)
        host, _, _ = broker.bootstrap.partition(":")
        assert host == "127.0.0.1"
        topics = AdminClient(confluent_config(broker.kafka_settings())).list_topics(timeout=10).topics
        assert {name: len(topic.partitions) for name, topic in topics.items()} == {"in": 3, "out": 2} == broker.topics


def test_aiokafka_transactions_are_written_and_read_back() -> None:
    with EmbeddedBroker({"in": 2, "out": 2}) as broker:
        asyncio.run(_transactions(broker, b"one", b"two", b"three"))
        assert asyncio.run(_read(broker, 3)) == [b"one", b"two", b"three"]


def test_offsets_of_transactions_are_forgotten_and_plain_commits_are_kept() -> None:
    nothing = -1001
    with EmbeddedBroker({"in": 2, "out": 2}) as broker:
        asyncio.run(_transactions(broker, b"one"))
        assert _committed(broker) == nothing
        asyncio.run(_read(broker, 1))
        assert _committed(broker) == 5


def test_a_broken_connection_comes_back() -> None:
    with EmbeddedBroker({"in": 1}) as broker:
        admin = AdminClient(confluent_config(broker.kafka_settings()) | {"log_level": 0})
        broker.set_down(down=True)
        with pytest.raises(KafkaException):
            admin.list_topics(timeout=1)
        broker.set_down(down=False)
        assert "in" in admin.list_topics(timeout=20).topics


def test_a_topic_twice_or_without_partitions_is_refused() -> None:
    with EmbeddedBroker({"in": 1}) as broker:
        with pytest.raises(SetupError, match="refuses topic in"):
            broker.create_topic("in", 1)
        with pytest.raises(SetupError, match="0 partitions"):
            broker.create_topic("other", 0)


def test_closing_twice_is_fine_and_using_it_afterwards_is_not() -> None:
    broker = EmbeddedBroker()
    broker.close()
    broker.close()
    with pytest.raises(SetupError, match="closed"):
        broker.create_topic("in", 1)


def test_without_the_wheels_library_the_message_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = tmp_path / "confluent_kafka" / "__init__.py"
    monkeypatch.setattr(confluent_kafka, "__file__", str(package))
    with pytest.raises(SetupError, match="confluent-kafka wheel; no library found"):
        EmbeddedBroker()


def test_a_broker_in_a_child_process_serves_and_ends() -> None:
    with EmbeddedBrokerProcess({"in": 2}) as broker:
        admin = AdminClient(confluent_config(broker.kafka_settings()))
        assert len(admin.list_topics(timeout=10).topics["in"].partitions) == 2
        child = broker.pid
    assert not Path(f"/proc/{child}").exists()


def test_a_killed_child_leaves_nothing_to_wait_for() -> None:
    broker = EmbeddedBrokerProcess({"in": 1})
    os.kill(broker.pid, signal.SIGKILL)
    started = time.monotonic()
    broker.close()
    broker.close()
    assert time.monotonic() - started < 10
