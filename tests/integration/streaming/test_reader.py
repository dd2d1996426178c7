"""The topic reader on a real Kafka: only committed records, none hidden by an open transaction, markers passed."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from confluent_kafka import Producer

from tamis.streaming.reader import KafkaTopicReader, ReadTimeoutError, Stored
from tests.support.kafka.cluster import KafkaCluster

pytestmark = pytest.mark.kafka


def _transactional(cluster: KafkaCluster) -> Producer:
    producer = Producer({"bootstrap.servers": cluster.bootstrap, "transactional.id": uuid.uuid4().hex, "log_level": 0})
    producer.init_transactions(30)
    return producer


def _write(producer: Producer, topic: str, values: list[bytes], *, commit: bool) -> None:
    producer.begin_transaction()
    for value in values:
        producer.produce(topic, value, key=b"k", partition=0)
    producer.flush(30)
    if commit:
        producer.commit_transaction(30)
    else:
        producer.abort_transaction(30)


def _topic(cluster: KafkaCluster) -> str:
    topic = f"reader-{uuid.uuid4().hex[:8]}"
    cluster.create_topics({topic: 1})
    return topic


def _values(found: list[Stored]) -> list[bytes | None]:
    return [record.value for record in found]


def test_only_committed_records_come_and_markers_are_passed(kafka: KafkaCluster) -> None:
    topic, producer = _topic(kafka), _transactional(kafka)
    for i in range(5):
        _write(producer, topic, [b"a%d" % i, b"b%d" % i], commit=True)
        _write(producer, topic, [b"junk"] * 3, commit=False)
    reader = KafkaTopicReader({"bootstrap_servers": kafka.bootstrap})
    everything = asyncio.run(reader.read(topic, 0))
    assert _values(everything) == [b"%s%d" % (letter, i) for i in range(5) for letter in (b"a", b"b")]
    middle = asyncio.run(reader.read(topic, 0, everything[2].offset, everything[5].offset))
    assert middle == everything[2:5]
    assert _values(asyncio.run(reader.last_records(topic, 0, 3))) == [b"b3", b"a4", b"b4"]
    assert asyncio.run(reader.last_records(topic, 0, 999)) == everything


def test_an_empty_partition_gives_nothing(kafka: KafkaCluster) -> None:
    reader = KafkaTopicReader({"bootstrap_servers": kafka.bootstrap})
    topic = _topic(kafka)
    assert asyncio.run(reader.read(topic, 0)) == []
    assert asyncio.run(reader.last_records(topic, 0, 5)) == []


def test_an_open_transaction_is_waited_for_and_never_skipped(kafka: KafkaCluster) -> None:
    topic, slow, quick = _topic(kafka), _transactional(kafka), _transactional(kafka)
    slow.begin_transaction()
    slow.produce(topic, b"slow", key=b"k", partition=0)
    slow.flush(30)
    _write(quick, topic, [b"quick"], commit=True)
    impatient = KafkaTopicReader({"bootstrap_servers": kafka.bootstrap}, timeout_s=0.5)
    with pytest.raises(ReadTimeoutError):
        asyncio.run(impatient.read(topic, 0))
    slow.commit_transaction(30)
    patient = KafkaTopicReader({"bootstrap_servers": kafka.bootstrap}, timeout_s=30)
    assert _values(asyncio.run(patient.read(topic, 0))) == [b"slow", b"quick"]
