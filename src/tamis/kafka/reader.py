"""Read a topic from the beginning, or from given offsets, to where it ends now; for commands, audits and tests.

Rules: committed records only; the end is fixed when reading begins (the last stable offset), so a topic that grows
does not keep the reader for ever; order holds within a partition; it joins no group, commits nothing, and gives up
aloud when the cluster is silent.
"""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from tamis.kafka.clients import confluent_config
from tamis.settings import KafkaSettings, SetupError, UnreachableError

SILENCE_S = 30.0
_BATCH = 1_000
_POLL_S = 0.1
_AGAIN_S = 0.1
_NO_LEADER = frozenset({KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE})


class TopicRecord(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A record with its place; ``timestamp`` in ms. It has the shape of ``ports.RawRecord``."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


def read_topic(
    kafka: KafkaSettings,
    topic: str,
    *,
    first: Mapping[int, int] | None = None,
    silence_s: float = SILENCE_S,
) -> Iterator[TopicRecord]:
    """All committed records of a topic.

    Args:
        kafka: how to reach the cluster.
        topic: full name.
        first: partition -> first offset to read, for these partitions only; None: all, from the beginning.
        silence_s: seconds without an answer after which reading fails.

    Raises:
        SetupError: there is no such topic or partition.
        UnreachableError: the cluster does not answer.
    """
    consumer = _consumer(kafka)
    try:
        starts = _starts(consumer, topic, first, silence_s)
        ends = _ends(consumer, topic, starts, silence_s)
        consumer.assign([TopicPartition(topic, p, starts[p]) for p in ends])
        yield from _records(consumer, ends, silence_s)
    except KafkaException as error:
        raise _fault(topic, error.args[0]) from None
    finally:
        consumer.close()


def topic_ends(kafka: KafkaSettings, topic: str, *, silence_s: float = SILENCE_S) -> dict[int, int]:
    """Partition -> offset after the last committed record, and its markers.

    Raises:
        SetupError: there is no such topic.
        UnreachableError: the cluster does not answer.
    """
    consumer = _consumer(kafka)
    try:
        partitions = _starts(consumer, topic, None, silence_s)
        return {p: partition_bounds(consumer, topic, p, silence_s)[1] for p in partitions}
    except KafkaException as error:
        raise _fault(topic, error.args[0]) from None
    finally:
        consumer.close()


def _consumer(kafka: KafkaSettings) -> Any:
    return Consumer(
        {
            **confluent_config(kafka),
            "group.id": "tamis-reader",  # librdkafka wants one; nothing is committed or joined
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "allow.auto.create.topics": False,
        }
    )


def _starts(consumer: Any, topic: str, first: Mapping[int, int] | None, silence_s: float) -> Mapping[int, int]:
    metadata = consumer.list_topics(topic, timeout=silence_s).topics[topic]
    if metadata.error is not None:
        raise KafkaException(metadata.error)
    if first is None:
        return dict.fromkeys(metadata.partitions, OFFSET_BEGINNING)
    if unknown := sorted(set(first) - set(metadata.partitions)):
        raise SetupError(f"topic {topic} has no partition {unknown[0]}")
    return first


def _ends(consumer: Any, topic: str, starts: Mapping[int, int], silence_s: float) -> dict[int, int]:
    ends = {}
    for partition, start in starts.items():
        low, end = partition_bounds(consumer, topic, partition, silence_s)
        if max(low, start) < end:
            ends[partition] = end
    return ends


def partition_bounds(consumer: Any, topic: str, partition: int, silence_s: float) -> tuple[int, int]:
    """First offset and the one after the last; waits while the partition has no leader, as just after it was made."""
    deadline = time.monotonic() + silence_s
    while True:
        try:
            low, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=silence_s)
        except KafkaException as error:
            if error.args[0].code() not in _NO_LEADER or time.monotonic() > deadline:
                raise
            time.sleep(_AGAIN_S)
        else:
            return low, end


def _records(consumer: Any, ends: dict[int, int], silence_s: float) -> Iterator[TopicRecord]:
    open_partitions = dict(ends)
    deadline = time.monotonic() + silence_s
    while open_partitions:
        messages = consumer.consume(_BATCH, _POLL_S)
        if messages:
            deadline = time.monotonic() + silence_s
        elif time.monotonic() > deadline:
            raise UnreachableError(f"no answer from the cluster for {silence_s:g} s")
        for message in messages:
            partition = message.partition()
            if message.error():
                if message.error().code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  # public, named so
                    raise KafkaException(message.error())
                open_partitions.pop(partition, None)
            elif partition in open_partitions:
                if message.offset() < ends[partition]:
                    yield record_of(message)
                if message.offset() >= ends[partition] - 1:
                    del open_partitions[partition]


def record_of(message: Any) -> TopicRecord:
    """A message of the client library as a record."""
    return TopicRecord(
        topic=message.topic(),
        partition=message.partition(),
        offset=message.offset(),
        timestamp=message.timestamp()[1],
        key=message.key(),
        value=message.value(),
        headers=tuple(message.headers() or ()),
    )


def _fault(topic: str, error: KafkaError) -> SetupError:
    if error.code() in {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC}:  # noqa: SLF001  # public, named so
        return SetupError(f"there is no topic {topic}")
    return UnreachableError(f"cannot read topic {topic}: {error.str()}")
