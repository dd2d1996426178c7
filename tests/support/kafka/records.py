"""Writing test input, and reading topics back as a careful consumer would (`read_committed`)."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator
from typing import Any

from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition

READ_SECONDS = 90.0


class Feeder:
    """Produces (key, value) pairs to explicit partitions.

    Args:
        bootstrap: broker addresses.
        config: further librdkafka producer properties.
    """

    def __init__(self, bootstrap: str, **config: Any) -> None:
        settings = {
            "bootstrap.servers": bootstrap,
            "linger.ms": 20,
            "compression.codec": "lz4",
            "acks": "all",
            "enable.idempotence": True,
            "message.timeout.ms": 120_000,
            "queue.buffering.max.messages": 500_000,
            "log_level": 0,
        }
        self._producer = Producer(settings | config)
        self._failed = 0

    def put(self, topic: str, partition: int, key: bytes | None, value: bytes, timestamp: int = 0) -> None:
        """Queue one record; `timestamp` in ms, 0 for now."""
        while True:
            try:
                self._producer.produce(
                    topic, value, key, partition=partition, timestamp=timestamp, on_delivery=self._delivered
                )
            except BufferError:
                self._producer.poll(0.05)
            else:
                return

    def _delivered(self, error: Any, _message: Message) -> None:
        self._failed += error is not None

    def flush(self) -> None:
        """Wait until everything queued is acknowledged.

        Raises:
            RuntimeError: something was not.
        """
        left = self._producer.flush(180)
        if left or self._failed:
            raise RuntimeError(f"{left} records not sent, {self._failed} failed")


def numbered(n: int, partitions: int, keys: int = 500, start: int = 0) -> Iterator[tuple[int, bytes, bytes]]:
    """(partition, key, value) of events numbered from `start`; the value is the number, padded to 200 bytes."""
    for i in range(start, start + n):
        yield i % partitions, b"k%d" % (i % keys), b"%-200d" % i


def feed_numbered(bootstrap: str, topic: str, n: int, partitions: int, start: int = 0) -> None:
    """Produce `n` numbered events and wait for them."""
    feeder = Feeder(bootstrap)
    for partition, key, value in numbered(n, partitions, start=start):
        feeder.put(topic, partition, key, value)
    feeder.flush()


def read_all(bootstrap: str, topic: str, partitions: int, *, committed_only: bool = True) -> Iterator[Message]:
    """Every record of a topic up to its end.

    Raises:
        TimeoutError: the end was not reached in time.
    """
    isolation = "read_committed" if committed_only else "read_uncommitted"
    config = {"isolation.level": isolation, "enable.partition.eof": True, "enable.auto.commit": False, "log_level": 0}
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "tamis-test-reader", **config})
    consumer.assign([TopicPartition(topic, p, 0) for p in range(partitions)])
    ended, deadline = 0, time.monotonic() + READ_SECONDS
    try:
        while ended < partitions:
            if time.monotonic() > deadline:
                raise TimeoutError(f"end of {topic} not reached")
            for message in consumer.consume(10_000, 0.5):
                if message.error() is None:
                    yield message
                else:
                    ended += 1
    finally:
        consumer.close()


class CommittedOffsets:
    """Watches what a consumer group has committed of a topic."""

    def __init__(self, bootstrap: str, group: str, topic: str, partitions: int) -> None:
        self._partitions = [TopicPartition(topic, p) for p in range(partitions)]
        config = {"group.id": group, "enable.auto.commit": False, "log_level": 0}
        self._consumer = Consumer({"bootstrap.servers": bootstrap, **config})
        self._last = 0

    def by_partition(self) -> dict[int, int]:
        """Committed offset per partition; negative where there is none."""
        return {tp.partition: tp.offset for tp in self._consumer.committed(self._partitions, timeout=5)}

    def total(self) -> int:
        """Sum over the partitions; the last known sum while no broker answers."""
        with contextlib.suppress(KafkaException):
            self._last = sum(max(0, offset) for offset in self.by_partition().values())
        return self._last

    def close(self) -> None:
        """Close the client."""
        self._consumer.close()


def numbers(messages: Iterable[Message]) -> Iterator[tuple[int, int]]:
    """(partition, number) of numbered events."""
    for message in messages:
        yield message.partition(), int(message.value())
