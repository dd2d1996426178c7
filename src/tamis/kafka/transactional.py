"""A producer whose records count all together or not at all, for commands that may be killed and run again.

Rules: one writer per transactional id; a newer one ends the open transaction of an older one and fences it, so what was
not committed never counts. Not handled here: the streaming path (``streaming.transport``).
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from confluent_kafka import KafkaException, Producer

from tamis.kafka.clients import confluent_config
from tamis.settings import KafkaSettings, UnreachableError

_TIMEOUT_S = 30.0


class Addressed(NamedTuple):
    """One record to write; ``timestamp`` in ms, None for now."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes | None], ...] = ()
    timestamp: int | None = None


class TransactionalWriter:
    """Writes batches of records, each batch in one transaction.

    Args:
        kafka: how to reach the cluster.
        transactional_id: whose earlier transaction is ended, and whose writer is fenced.

    Raises:
        UnreachableError: the cluster does not answer.
    """

    def __init__(self, kafka: KafkaSettings, transactional_id: str) -> None:
        self._failed: list[str] = []
        self._producer: Any = Producer(
            confluent_config(kafka)
            | {
                "transactional.id": transactional_id,
                "transaction.timeout.ms": round(kafka.transaction_timeout_s * 1000),
                "compression.codec": "lz4",
                "message.max.bytes": 16 << 20,
            }
        )
        self._call(self._producer.init_transactions)

    def write(self, records: Iterable[Addressed]) -> None:
        """Writes a batch and commits it.

        Raises:
            UnreachableError: it is not committed: the cluster did not take it, or a newer writer came.
        """
        self._call(self._producer.begin_transaction)
        for record in records:
            arguments: dict[str, Any] = {"partition": record.partition, "key": record.key}
            if record.headers:
                arguments["headers"] = list(record.headers)
            if record.timestamp is not None:
                arguments["timestamp"] = record.timestamp
            self._producer.produce(record.topic, record.value, on_delivery=self._delivered, **arguments)
            self._producer.poll(0)
        left = self._producer.flush(_TIMEOUT_S)
        if left or self._failed:
            raise UnreachableError(f"not written: {self._failed[0] if self._failed else 'no answer'}")
        self._call(self._producer.commit_transaction)

    def _call(self, step: Any) -> None:
        try:
            step(*(() if step == self._producer.begin_transaction else (_TIMEOUT_S,)))
        except KafkaException as error:
            raise UnreachableError(f"transaction not possible: {error.args[0].str()}") from None

    def _delivered(self, error: Any, message: Any) -> None:
        del message
        if error is not None:
            self._failed.append(error.str())
