"""Writes record headers whose keys are not UTF-8, as a client that does not check may."""

from __future__ import annotations

from typing import Any

from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy


class _Odd(str):
    """A header key that encodes to other bytes."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        del encoding, errors
        return b"\xff\xfetype"


BYTES = _Odd("odd")


def odd_builder(compression: int, *, is_transactional: int = 0) -> Any:
    """A record batch of aiokafka's own that takes ``BYTES`` as a header key."""
    batch: Any = BatchBuilder(100_000, compression, is_transactional=is_transactional)
    batch._builder = _DefaultRecordBatchBuilderPy(2, compression, is_transactional, -1, -1, -1, 100_000)
    return batch
