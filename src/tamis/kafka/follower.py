"""Follows ``consent.state`` from given offsets, for ever: the record source of the consent replica.

Rules: committed records only; no group is joined and nothing committed, since the replica keeps its own offsets; the
first record is waited for, what is already there comes with it, so that a withdrawal is not kept waiting by a timeout;
offsets that are gone are ``StateLostError``, never skipped. librdkafka reconnects by itself; a deleted topic ends it.
Implements ``ports.StateSource``; blocking calls run in a thread.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from tamis.kafka.clients import confluent_config, is_embedded
from tamis.kafka.reader import partition_bounds
from tamis.ports import StateBounds, StateLostError, StateRow, StateRows
from tamis.settings import KafkaSettings, SetupError, UnreachableError

TIMEOUT_S = 30.0
_EOF = KafkaError._PARTITION_EOF  # noqa: SLF001 - public, named so
_LOST = frozenset({KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._AUTO_OFFSET_RESET})  # noqa: SLF001 - public, named so
_UNSUPPORTED = frozenset({KafkaError._UNSUPPORTED_FEATURE, KafkaError.UNSUPPORTED_VERSION})  # noqa: SLF001 - public, named so
_NO_TOPIC = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC})  # noqa: SLF001 - public, named so


class KafkaStateSource:
    """A topic as ``ports.StateSource``.

    Args:
        kafka: how to reach the cluster.
        topic: full name.
    """

    def __init__(self, kafka: KafkaSettings, topic: str) -> None:
        self._config = confluent_config(kafka)
        self._topic = topic
        self._consumer: Any = Consumer(
            {
                **self._config,
                "group.id": "tamis-replica",  # librdkafka wants one; nothing is committed or joined
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "auto.offset.reset": "error",
                "allow.auto.create.topics": False,
                "fetch.wait.max.ms": 100,
                "queued.max.messages.kbytes": 64 * 1024,
                "fetch.queue.backoff.ms": 10,
            }
        )

    async def bounds(self) -> StateBounds:
        """See ``ports.StateSource``.

        Raises:
            SetupError: there is no such topic.
            UnreachableError: the cluster does not answer.
        """
        return await asyncio.to_thread(self._bounds)

    async def start(self, positions: Mapping[int, int]) -> None:
        """See ``ports.StateSource``."""
        self._consumer.assign([TopicPartition(self._topic, p, offset) for p, offset in positions.items()])

    async def poll(self, max_rows: int, timeout_s: float, *, fill: bool) -> StateRows:
        """See ``ports.StateSource``.

        Raises:
            StateLostError: offsets are gone.
            SetupError: the topic was deleted.
        """
        return await asyncio.to_thread(self._poll, max_rows, timeout_s, fill)

    async def close(self) -> None:
        """See ``ports.StateSource``."""
        await asyncio.to_thread(self._consumer.close)

    # -- blocking

    def _bounds(self) -> StateBounds:
        try:
            metadata = self._consumer.list_topics(self._topic, timeout=TIMEOUT_S)
            found = metadata.topics[self._topic]
            if found.error is not None:
                raise self._fault(found.error)
            low, high = {}, {}
            for partition in found.partitions:
                low[partition], high[partition] = partition_bounds(self._consumer, self._topic, partition, TIMEOUT_S)
        except KafkaException as error:
            raise self._fault(error.args[0]) from None
        cluster_id = metadata.cluster_id or ""
        topic_id = "-" if is_embedded(cluster_id) else self._topic_id()
        return StateBounds(cluster_id, f"{self._topic}/{topic_id}", low, high)

    def _topic_id(self) -> str:
        """The broker's id of the topic, "-" where it knows none."""
        admin = AdminClient(self._config)
        try:
            described = admin.describe_topics(TopicCollection([self._topic]), request_timeout=TIMEOUT_S)
            return str(described[self._topic].result(TIMEOUT_S).topic_id)
        except KafkaException as error:
            if error.args[0].code() in _UNSUPPORTED:
                return "-"
            raise
        except TimeoutError:
            raise UnreachableError(f"cannot describe topic {self._topic}: no answer") from None

    def _messages(self, max_rows: int, timeout_s: float, fill: bool) -> list[Any]:
        if fill:
            return list(self._consumer.consume(max_rows, timeout_s))
        first = self._consumer.poll(timeout_s)
        return [] if first is None else [first, *self._consumer.consume(max_rows - 1, 0)]

    def _poll(self, max_rows: int, timeout_s: float, fill: bool) -> StateRows:
        rows: list[StateRow] = []
        next_offsets: dict[int, int] = {}
        for message in self._messages(max_rows, timeout_s, fill):
            error = message.error()
            if error is None:
                partition, offset, key = message.partition(), message.offset(), message.key()
                if key:  # a record without a key is none of tamis' own
                    rows.append((partition, offset, key, message.value()))
                next_offsets[partition] = offset + 1
            elif error.code() == _EOF:
                next_offsets[message.partition()] = message.offset()
            elif error.code() in _LOST:
                raise StateLostError(f"{self._topic}/{message.partition()}: {error.str()}")
            elif error.fatal() or error.code() in _NO_TOPIC:
                raise self._fault(error)
        return StateRows(rows, next_offsets)

    def _fault(self, error: KafkaError) -> SetupError:
        if error.code() in _NO_TOPIC:
            return SetupError(f"there is no topic {self._topic}")
        return UnreachableError(f"cannot follow topic {self._topic}: {error.str()}")
