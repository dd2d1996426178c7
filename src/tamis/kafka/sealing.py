"""The sealer's two sides of Kafka: committed records of whole topics from given offsets, and what it publishes.

Rules: read committed; no group, nothing committed: the sealer's own store holds offsets; offsets that are gone are
told, never skipped; publishing is idempotent and waits for all replicas. librdkafka reconnects by itself.
"""

import time
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from tamis.kafka.clients import confluent_config, is_embedded
from tamis.kafka.reader import TopicRecord, partition_bounds, record_of
from tamis.settings import KafkaSettings, SetupError, UnreachableError

TIMEOUT_S = 30.0
Place = tuple[str, int]
"""Full topic name and partition."""
_LOST = frozenset({KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._AUTO_OFFSET_RESET})  # noqa: SLF001 - public, named so
_NO_TOPIC = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC})  # noqa: SLF001 - public, named so


class Bounds(msgspec.Struct, frozen=True):
    """What a partition holds: first offset, offset after the last committed record, the broker's id of the topic."""

    low: int
    high: int
    topic_id: str


class Polled(msgspec.Struct, frozen=True):
    """Records in order within a partition, and partitions whose offsets are gone."""

    records: list[TopicRecord]
    lost: list[Place]


class SealerSource:
    """Reads partitions of several topics.

    Args:
        kafka: how to reach the cluster.
    """

    def __init__(self, kafka: KafkaSettings) -> None:
        self._config = confluent_config(kafka)
        self._ids: dict[str, str] = {}
        self._positions: dict[Place, int] = {}
        self._consumer: Any = Consumer(
            {
                **self._config,
                "group.id": "tamis-sealer",  # librdkafka wants one; nothing is committed or joined
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "isolation.level": "read_committed",
                "auto.offset.reset": "error",
                "allow.auto.create.topics": False,
                "fetch.wait.max.ms": 100,
                "queued.max.messages.kbytes": 32 * 1024,
                "topic.metadata.refresh.interval.ms": 10_000,
            }
        )

    def partitions(self, topic: str) -> list[int]:
        """The partitions of a topic.

        Raises:
            SetupError: there is no such topic, or the cluster does not answer.
        """
        try:
            found = self._consumer.list_topics(topic, timeout=TIMEOUT_S)
        except KafkaException as error:
            raise self._fault(topic, error.args[0]) from None
        if found.topics[topic].error is not None:
            raise self._fault(topic, found.topics[topic].error)
        self._ids[topic] = "-" if is_embedded(found.cluster_id) else self._topic_id(topic)
        return sorted(found.topics[topic].partitions)

    def bounds(self, place: Place) -> Bounds:
        """What a partition of a known topic holds now.

        Raises:
            UnreachableError: the cluster does not answer.
        """
        try:
            low, high = partition_bounds(self._consumer, *place, TIMEOUT_S)
        except KafkaException as error:
            raise self._fault(place[0], error.args[0]) from None
        return Bounds(low, high, self._ids[place[0]])

    def last(self, place: Place) -> TopicRecord | None:
        """The last record of a partition without transactions, None when it is empty; only before ``start``.

        Raises:
            UnreachableError: the cluster does not answer.
        """
        low, high, _ = msgspec.structs.astuple(self.bounds(place))
        if low >= high:
            return None
        self._consumer.assign([TopicPartition(*place, high - 1)])
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline:
            message = self._consumer.poll(0.5)
            if message is not None and message.error() is None:
                return record_of(message)
        raise UnreachableError(f"cannot read topic {place[0]}: no answer")

    def start(self, positions: Mapping[Place, int]) -> None:
        """Read these partitions from these offsets."""
        self._positions = dict(positions)
        self._consumer.assign([TopicPartition(*place, offset) for place, offset in positions.items()])

    def seek(self, place: Place, offset: int) -> None:
        """Read a partition from another offset on; one that was stopped is read again."""
        self.stop(place)
        self._positions[place] = offset
        self._consumer.incremental_assign([TopicPartition(*place, offset)])

    def stop(self, place: Place) -> None:
        """Read a partition no more."""
        if self._positions.pop(place, None) is not None:
            self._consumer.incremental_unassign([TopicPartition(*place)])

    def pause(self, place: Place) -> None:
        """Deliver nothing of a partition for now."""
        self._consumer.pause([TopicPartition(*place)])

    def resume(self, place: Place) -> None:
        """Deliver again."""
        self._consumer.resume([TopicPartition(*place)])

    def poll(self, timeout_s: float, most: int = 10_000) -> Polled:
        """The next records.

        Raises:
            SetupError: a topic is gone, or the client cannot go on.
        """
        records, lost = [], []
        for message in self._consumer.consume(most, timeout_s):
            error = message.error()
            if error is None:
                record = record_of(message)
                place = record.topic, record.partition
                if place in self._positions:  # else it was stopped while this was on its way
                    self._positions[place] = record.offset + 1
                    records.append(record)
            elif error.code() in _LOST:
                lost.append((message.topic(), message.partition()))
            elif error.fatal() or error.code() in _NO_TOPIC:
                raise self._fault(message.topic() or "", error)
        return Polled(records, lost)

    def behind(self, place: Place) -> int:
        """Offsets between what was read of a partition and its end, as the client last heard of it."""
        high = int(self._consumer.get_watermark_offsets(TopicPartition(*place), cached=True)[1])
        return max(0, high - self._positions.get(place, high))

    def close(self) -> None:
        """Let go of the cluster."""
        self._consumer.close()

    def _topic_id(self, topic: str) -> str:
        admin = AdminClient(self._config)
        try:
            described = admin.describe_topics(TopicCollection([topic]), request_timeout=TIMEOUT_S)
            return str(described[topic].result(TIMEOUT_S).topic_id)
        except (KafkaException, TimeoutError):
            raise UnreachableError(f"cannot describe topic {topic}") from None

    def _fault(self, topic: str, error: KafkaError) -> SetupError:
        if error.code() in _NO_TOPIC:
            return UnreachableError(f"there is no topic {topic} (tamis topics apply)")  # it may come
        return UnreachableError(f"cannot read topic {topic}: {error.str()}")


class Publisher:
    """Writes to single-partition topics, each record once.

    Args:
        kafka: how to reach the cluster.
    """

    def __init__(self, kafka: KafkaSettings) -> None:
        self._producer = Producer(
            confluent_config(kafka) | {"enable.idempotence": True, "linger.ms": 5, "compression.type": "zstd"}
        )
        self._failed: list[str] = []

    def publish(self, topic: str, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Write (key, value) records and wait until all replicas have them.

        Raises:
            UnreachableError: the cluster did not take one.
        """
        for key, value in records:
            self._producer.produce(topic, value, key, 0, on_delivery=self._delivered)
        left = self._producer.flush(TIMEOUT_S)
        failed, self._failed = self._failed, []
        if left or failed:
            raise UnreachableError(f"cannot write to topic {topic}: {failed[0] if failed else 'no answer'}")

    def _delivered(self, error: KafkaError | None, message: Any) -> None:
        del message
        if error is not None:
            self._failed.append(error.str())
