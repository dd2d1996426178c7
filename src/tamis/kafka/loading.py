"""Writes prepared records into a topic as fast as the broker takes them, and tells how far a group has come.

Rules: idempotent producer, ``acks=all``, lz4; returns only when everything is acknowledged; a delivery that fails is an
exception. For loading test and demo traffic, not for the streaming path.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple, Self

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from tamis.kafka.clients import confluent_config
from tamis.settings import KafkaSettings

_QUEUE = 200_000
_TIMEOUT_S = 120.0


class Outgoing(NamedTuple):
    """One record to write; ``timestamp`` in ms, None for now."""

    partition: int
    key: bytes | None
    value: bytes
    timestamp: int | None = None


class LoadError(RuntimeError):
    """Some records were not acknowledged."""


class Loader:
    """A producer for bulk loading; use as a context manager.

    Args:
        kafka: connection settings.
        linger_ms: how long records wait for company; 0 for low latency.
    """

    def __init__(self, kafka: KafkaSettings, linger_ms: int = 20) -> None:
        self._failed = 0
        self._producer: Any = Producer(
            confluent_config(kafka)
            | {
                "enable.idempotence": True,
                "acks": "all",
                "compression.codec": "lz4",
                "linger.ms": linger_ms,
                "batch.size": 512_000,
                "message.max.bytes": 16 << 20,
                "queue.buffering.max.messages": _QUEUE,
            }
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.flush()

    def put(self, topic: str, record: Outgoing) -> None:
        """Queues one record, waiting for room when the queue is full."""
        arguments: dict[str, Any] = {"partition": record.partition, "key": record.key, "on_delivery": self._delivered}
        if record.timestamp is not None:
            arguments["timestamp"] = record.timestamp
        while True:
            try:
                self._producer.produce(topic, record.value, **arguments)
            except BufferError:
                self._producer.poll(0.05)
            else:
                return

    def load(self, topic: str, records: Iterable[Outgoing]) -> int:
        """Writes all records and waits for their acknowledgement; gives their number.

        Raises:
            LoadError: not everything was acknowledged.
        """
        count = 0
        for count, record in enumerate(records, 1):
            self.put(topic, record)
            if count % 1_000 == 0:
                self._producer.poll(0)
        self.flush()
        return count

    def poll(self) -> None:
        """Serves acknowledgements without waiting."""
        self._producer.poll(0)

    def flush(self) -> None:
        """Waits until everything queued is acknowledged.

        Raises:
            LoadError: it was not, within two minutes.
        """
        left = self._producer.flush(_TIMEOUT_S)
        if left or self._failed:
            raise LoadError(f"{left} records unacknowledged, {self._failed} refused")

    def _delivered(self, error: object, _message: object) -> None:
        if error is not None:
            self._failed += 1


class GroupProgress:
    """Committed offsets of one consumer group on one topic.

    Args:
        kafka: connection settings.
        group: consumer group.
        topic: full topic name.
        partitions: its partition count.
    """

    def __init__(self, kafka: KafkaSettings, group: str, topic: str, partitions: int) -> None:
        self._consumer: Any = Consumer(confluent_config(kafka) | {"group.id": group, "enable.auto.commit": False})
        self._tps = [TopicPartition(topic, partition) for partition in range(partitions)]

    def committed(self, timeout_s: float = 5.0) -> list[int] | None:
        """Committed offset by partition (0 where there is none); None when the broker does not answer in time."""
        try:
            found = self._consumer.committed(self._tps, timeout=timeout_s)
        except KafkaException:
            return None
        return [max(0, tp.offset) for tp in found]

    def close(self) -> None:
        """Ends the client."""
        self._consumer.close()
