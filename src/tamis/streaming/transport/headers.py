"""Records whose header keys are not UTF-8: the protocol says they are text, brokers do not check.

aiokafka raises in the middle of a record batch on such a key, so one sender could stop a partition. Rules: the batch is
then read again with aiokafka's own reader in Python, which replaces what is not UTF-8 in header keys (U+FFFD) and
changes nothing else, so the record goes its way and such a header is one that nobody knows. The bytes of a fetch are
kept beside it for that; they live as long as before. Only batches that have such a record pay. Every internal used is
pinned by the contract test.
"""

from __future__ import annotations

import struct
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

_HEAD = struct.Struct(">qi")  # base offset, bytes after this


class KeptRecords(MemoryRecords):  # type: ignore[misc]
    """The records of a fetch, with their bytes."""

    def __init__(self, raw: bytes) -> None:
        super().__init__(raw)
        self.raw = raw


class _LenientBytes(bytearray):
    """Bytes that decode with replacement, and so do their slices."""

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return found if type(found) is int else _LenientBytes(found)

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        del errors
        return super().decode(encoding, "replace")


class _LenientBatch(_DefaultRecordBatchPy):  # type: ignore[misc]
    _buffer: Any

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        if type(self._buffer) is not _LenientBytes:
            self._buffer = _LenientBytes(self._buffer)


def read_leniently(memory: Any, base_offset: int) -> list[Any]:
    """The records of one record batch of a fetch, whatever their header keys.

    Args:
        memory: a ``KeptRecords``.
        base_offset: of the record batch.

    Raises:
        LookupError: the fetch holds no such batch, or its bytes were not kept (a fault).
    """
    raw = memory.raw if isinstance(memory, KeptRecords) else b""
    place = 0
    while place + _HEAD.size <= len(raw):
        found, size = _HEAD.unpack_from(raw, place)
        end = place + _HEAD.size + size
        if found == base_offset:
            return list(_LenientBatch(bytearray(raw[place:end])))
        place = end
    raise LookupError(f"no record batch at {base_offset} in what was fetched")


def keep_fetched_bytes() -> None:
    """Make aiokafka's fetcher keep what it read; calling it again changes nothing."""
    fetcher.MemoryRecords = KeptRecords
