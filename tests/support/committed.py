"""Where topics end for readers of committed records, and where they end at all.

An open transaction hides everything written after its first record, also what others have committed since: a test that
looks right after a commit has to wait until readers can see as far as was written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka import Consumer, TopicPartition

from tamis.kafka.clients import confluent_config
from tamis.kafka.reader import read_topic, topic_ends

if TYPE_CHECKING:
    from tamis.settings import KafkaSettings

MARKERS = 200  # that many offsets before the end there is a record
TIMEOUT_S = 30.0


def written(kafka: KafkaSettings, topic: str) -> dict[int, int]:
    """High watermarks: where each partition ends, what is not committed yet included."""
    config = {"group.id": "tamis-test-ends", "isolation.level": "read_uncommitted"}
    consumer = Consumer(confluent_config(kafka) | config)
    try:
        partitions = consumer.list_topics(topic, timeout=TIMEOUT_S).topics[topic].partitions
        return {p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=TIMEOUT_S)[1] for p in partitions}
    finally:
        consumer.close()


def shows(kafka: KafkaSettings, topic: str, ends: dict[int, int]) -> bool:
    """Whether readers of committed records see a topic up to these ends."""
    seen = topic_ends(kafka, topic)
    return all(seen[partition] >= end for partition, end in ends.items())


def last_offsets(kafka: KafkaSettings, topic: str) -> dict[int, int]:
    """Offset of the last committed record by partition."""
    first = {partition: max(0, end - MARKERS) for partition, end in topic_ends(kafka, topic).items()}
    return {record.partition: record.offset for record in read_topic(kafka, topic, first=first)}
