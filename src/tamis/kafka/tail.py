"""Follows several topics from their beginning and hands out what comes, for sinks and live views.

Rules: committed records only; no group; order holds within a partition; a record is handed out once; blocking, meant
for a thread of its own. Not handled here: topics that change while they are followed.
"""

from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from tamis.kafka.clients import confluent_config
from tamis.kafka.reader import TopicRecord, record_of
from tamis.settings import KafkaSettings

_BATCH = 2_000


class TopicTail:
    """A follower of whole topics; use as a context manager.

    Args:
        kafka: connection settings.
        partitions: full topic name -> partition count.
    """

    def __init__(self, kafka: KafkaSettings, partitions: Iterable[tuple[str, int]]) -> None:
        self._consumer: Any = Consumer(
            confluent_config(kafka)
            | {
                "group.id": "tamis-tail",  # librdkafka wants one; nothing is committed or joined
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 50,
            }
        )
        self._consumer.assign(
            [TopicPartition(name, number, OFFSET_BEGINNING) for name, count in partitions for number in range(count)]
        )

    def poll(self, timeout_s: float) -> list[TopicRecord]:
        """The next records, empty when none came in time.

        Raises:
            KafkaException: the broker refuses; what it cannot give for a moment is waited for.
        """
        found = []
        for message in self._consumer.consume(_BATCH, timeout_s):
            error = message.error()
            if error is None:
                found.append(record_of(message))
            elif not error.retriable():
                raise KafkaException(error)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.close()
