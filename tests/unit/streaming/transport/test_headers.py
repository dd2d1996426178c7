"""A header key that is not UTF-8 stops nothing: its record, and those beside it, are read as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aiokafka.consumer import fetcher
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from tamis.streaming.transport.headers import KeptRecords, keep_fetched_bytes, read_leniently
from tests.support.headers import BYTES, odd_builder

if TYPE_CHECKING:
    from aiokafka.record.default_records import _DefaultRecordPy

NONE, GZIP, LZ4 = 0, 1, 3


def fetched(compression: int) -> bytes:
    """Two record batches; the second has records with odd header keys."""
    plain = BatchBuilder(100_000, compression, is_transactional=0)
    plain.append(timestamp=1, key=b"a", value=b"plain")
    plain._set_producer_state(-1, 0, 0)
    odd = odd_builder(compression)
    odd.append(timestamp=2, key=b"k", value=b"v" * 300, headers=[(BYTES, b"1"), ("endpoint", None)])
    odd.append(timestamp=3, key=None, value=None)
    second = bytearray(odd._build())
    second[:8] = (7).to_bytes(8, "big")  # not covered by the checksum
    return bytes(plain._build()) + bytes(second)


def rows(records: list[_DefaultRecordPy]) -> list[tuple[object, ...]]:
    return [(r.offset, r.timestamp, r.timestamp_type, r.key, r.value, list(r.headers)) for r in records]


@pytest.mark.parametrize("compression", [NONE, GZIP, LZ4])
def test_a_batch_with_an_odd_header_key_is_read_whole(compression: int) -> None:
    memory = KeptRecords(fetched(compression))
    memory.next_batch()
    batch = memory.next_batch()
    assert batch is not None
    assert batch.validate_crc()
    with pytest.raises(UnicodeDecodeError):
        list(batch)
    assert rows(read_leniently(memory, 7)) == [
        (7, 2, 0, b"k", b"v" * 300, [("\ufffd\ufffdtype", b"1"), ("endpoint", None)]),
        (8, 3, 0, None, None, []),
    ]


@pytest.mark.parametrize("compression", [NONE, LZ4])
def test_reading_leniently_changes_nothing_else(compression: int) -> None:
    memory = KeptRecords(fetched(compression))
    batch = memory.next_batch()
    assert batch is not None
    assert rows(read_leniently(memory, 0)) == rows(list(batch))


def test_bytes_that_were_not_kept_are_a_fault() -> None:
    with pytest.raises(LookupError):
        read_leniently(MemoryRecords(fetched(NONE)), 7)
    with pytest.raises(LookupError):
        read_leniently(KeptRecords(fetched(NONE)), 3)


def test_the_fetcher_keeps_what_it_reads() -> None:
    keep_fetched_bytes()
    assert fetcher.MemoryRecords is KeptRecords
