"""Reading a topic to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Producer

from tamis.kafka.clients import confluent_config
from tamis.kafka.embedded import EmbeddedBroker
from tamis.kafka.reader import read_topic, topic_ends
from tamis.settings import KafkaSettings, SetupError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.embedded


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker({"t": 3}) as broker:
        producer = Producer(confluent_config(broker.kafka_settings()))
        for number in range(3_000):
            headers = [("h", b"1")] if number == 0 else None
            producer.produce(
                "t", value=b"%d" % number, key=b"k", partition=number % 2, timestamp=1_000 + number, headers=headers
            )
        assert producer.flush(20) == 0
        yield broker


def test_all_records_come_once_and_in_order(broker: EmbeddedBroker) -> None:
    records = list(read_topic(broker.kafka_settings(), "t"))
    for partition in (0, 1):
        mine = [record for record in records if record.partition == partition]
        assert [record.offset for record in mine] == list(range(1_500))
        assert [int(record.value or b"") for record in mine] == list(range(partition, 3_000, 2))
    assert len(records) == 3_000
    zero = next(record for record in records if record.value == b"0")
    assert (zero.topic, zero.key, zero.timestamp, zero.headers) == ("t", b"k", 1_000, (("h", b"1"),))


def test_reading_starts_where_asked_in_the_partitions_asked_for(broker: EmbeddedBroker) -> None:
    records = list(read_topic(broker.kafka_settings(), "t", first={1: 1_490}))
    assert [(record.partition, record.offset) for record in records] == [(1, offset) for offset in range(1_490, 1_500)]


def test_an_empty_partition_and_a_start_at_the_end_give_nothing(broker: EmbeddedBroker) -> None:
    assert list(read_topic(broker.kafka_settings(), "t", first={2: 0, 1: 1_500})) == []


def test_the_ends_are_told_per_partition(broker: EmbeddedBroker) -> None:
    assert topic_ends(broker.kafka_settings(), "t") == {0: 1_500, 1: 1_500, 2: 0}


def test_records_written_meanwhile_do_not_keep_the_reader(broker: EmbeddedBroker) -> None:
    producer = Producer(confluent_config(broker.kafka_settings()))
    count = 0
    for _ in read_topic(broker.kafka_settings(), "t"):
        count += 1
        producer.produce("t", value=b"later", partition=0)
        producer.poll(0)
    producer.flush(20)
    assert count == 3_000


def test_a_missing_topic_or_partition_is_named(broker: EmbeddedBroker) -> None:
    with pytest.raises(SetupError, match="no partition 7"):
        list(read_topic(broker.kafka_settings(), "t", first={7: 0}))
    with pytest.raises(SetupError, match="there is no topic none"):
        list(read_topic(broker.kafka_settings(), "none"))


def test_a_silent_cluster_is_an_error_and_not_a_wait() -> None:
    with pytest.raises(UnreachableError):
        list(read_topic(KafkaSettings(bootstrap="127.0.0.1:1"), "t", silence_s=1))
