"""The real Kafka of the other tests: it starts, takes large records, survives the loss of a node and speaks SCRAM."""

from __future__ import annotations

import uuid

import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from tests.support.kafka.cluster import KafkaCluster
from tests.support.requirements import require

pytestmark = pytest.mark.kafka


def _name() -> str:
    return f"fixture-{uuid.uuid4().hex[:8]}"


def test_a_ten_megabyte_record_goes_in_and_comes_out(kafka: KafkaCluster) -> None:
    topic, value = _name(), b"x" * 10_000_000
    kafka.create_topics({topic: 1})
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "message.max.bytes": 12_000_000})
    producer.produce(topic, value)
    assert producer.flush(30) == 0
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": topic})
    consumer.assign([TopicPartition(topic, 0, 0)])
    message = consumer.poll(30)
    consumer.close()
    assert message is not None
    assert message.value() == value


def test_three_nodes_accept_writes_while_one_is_down(kafka3: KafkaCluster) -> None:
    topic = _name()
    kafka3.create_topics({topic: 3})
    producer = Producer({"bootstrap.servers": kafka3.bootstrap, "acks": "all", "log_level": 0})
    kafka3.kill(2)
    for partition in range(3):
        producer.produce(topic, b"v", partition=partition)
    assert producer.flush(60) == 0
    kafka3.restart(2)
    assert len(kafka3.admin().list_topics(timeout=10).brokers) == 3


def test_sasl_listener_takes_the_right_password_only() -> None:
    require("kafka")
    with KafkaCluster(sasl=True) as cluster:
        assert cluster.sasl is not None
        config = {
            "bootstrap.servers": cluster.bootstrap_sasl,
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "SCRAM-SHA-512",
            "ssl.ca.location": str(cluster.sasl.ca),
            "sasl.username": cluster.sasl.username,
            "log_level": 0,
        }
        good = AdminClient({**config, "sasl.password": cluster.sasl.password})
        assert len(good.list_topics(timeout=20).brokers) == 1
        bad = AdminClient({**config, "sasl.password": "wrong"})
        with pytest.raises(KafkaException):
            bad.list_topics(timeout=3)
