"""Which part of a topic was received between two moments. Rules: record timestamps decide; nothing is committed."""

from collections.abc import Iterator
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition

from tamis.kafka.clients import confluent_config
from tamis.kafka.reader import TopicRecord, read_topic
from tamis.settings import KafkaSettings, UnreachableError

_TIMEOUT_S = 30.0


def read_between(kafka: KafkaSettings, topic: str, since_ms: int, until_ms: int) -> Iterator[TopicRecord]:
    """Committed records with a timestamp in ``[since_ms, until_ms)``, in order within a partition.

    Raises:
        SetupError: there is no such topic.
        UnreachableError: the cluster does not answer.
    """
    first = _offsets(kafka, topic, since_ms)
    if first:
        yield from (record for record in read_topic(kafka, topic, first=first) if record.timestamp < until_ms)


def _offsets(kafka: KafkaSettings, topic: str, at_ms: int) -> dict[int, int]:
    """Partition -> first offset at or after a moment, for partitions that have one."""
    consumer: Any = Consumer(confluent_config(kafka) | {"group.id": "tamis-times", "enable.auto.commit": False})
    try:
        partitions = consumer.list_topics(topic, timeout=_TIMEOUT_S).topics[topic].partitions
        asked = [TopicPartition(topic, number, at_ms) for number in partitions]
        found = consumer.offsets_for_times(asked, timeout=_TIMEOUT_S) if asked else []
    except KafkaException as error:
        raise UnreachableError(f"cannot look up times in topic {topic}: {error.args[0].str()}") from None
    finally:
        consumer.close()
    return {place.partition: place.offset for place in found if place.offset >= 0}
