"""Takes fetched records out of aiokafka's fetcher a record batch at a time.

aiokafka makes a Python object per record in a generator, about half of what reading costs. Its compiled reader already
gives objects with `offset`, `timestamp`, `timestamp_type`, `key`, `value` and `headers`; those are handed out as they
are. Rules: the same as aiokafka's own unpacking (aborted and control batches skipped, checksums verified if asked for,
records below the fetch position dropped, the position moved past everything read), except that a record batch is never
split, so `most` and `most_bytes` may be passed by one record batch. Bytes are counted because what is fetched is
compressed: half a megabyte of it can hold a gigabyte of records. Every internal used is pinned by the contract test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiokafka.consumer.fetcher import READ_COMMITTED, FetchResult
from aiokafka.errors import CorruptRecordException

from tamis.streaming.transport.headers import read_leniently

if TYPE_CHECKING:
    from aiokafka.structs import TopicPartition


def take(fetcher: Any, tp: TopicPartition, most: int, most_bytes: int) -> tuple[list[Any], int]:
    """Records of one partition that were fetched and not taken yet.

    Args:
        fetcher: the `Fetcher` of an AIOKafkaConsumer.
        tp: an assigned partition.
        most: stop after the record batch that reaches this many records.
        most_bytes: or this many bytes of values.

    Returns:
        The records, none if there are none or only markers, and the bytes of their values.

    Raises:
        KafkaError: what the broker answered for this partition instead of records.
    """
    found = fetcher._records.get(tp)  # noqa: SLF001
    if found is None:
        return [], 0
    if type(found) is not FetchResult:
        _forget(fetcher, tp)
        found.check_raise()
    if not found.check_assignment(tp):
        _forget(fetcher, tp)
        return [], 0
    source = found._partition_records  # noqa: SLF001
    taken = _unpack(source, most, most_bytes)
    found._update_position()  # noqa: SLF001
    if not source._records.has_next():  # noqa: SLF001
        _forget(fetcher, tp)
    return taken


def _forget(fetcher: Any, tp: TopicPartition) -> None:
    del fetcher._records[tp]  # noqa: SLF001
    fetcher._notify(fetcher._wait_consume_future)  # noqa: SLF001 - fetch this partition again


def _unpack(source: Any, most: int, most_bytes: int) -> tuple[list[Any], int]:
    taken: list[Any] = []
    size = 0
    memory = source._records  # noqa: SLF001
    while len(taken) < most and size < most_bytes and memory.has_next():
        batch = memory.next_batch()
        if source._check_crcs and not batch.validate_crc():  # noqa: SLF001
            raise CorruptRecordException(f"Invalid CRC - {source._tp}")  # noqa: SLF001
        if not _skipped(source, batch):
            try:
                records = list(batch)
            except UnicodeDecodeError:  # a header key
                records = read_leniently(memory, batch.base_offset)
            if records and records[0].offset < source.next_fetch_offset:  # a batch fetched from its middle
                records = [record for record in records if record.offset >= source.next_fetch_offset]
            taken += records
            size += sum([len(record.value or b"") for record in records])
        source.next_fetch_offset = batch.next_offset
    return taken, size


def _skipped(source: Any, batch: Any) -> bool:
    """Whether a record batch is a marker, or aborted; keeps count of aborted transactions."""
    if source._isolation_level == READ_COMMITTED and batch.producer_id is not None:  # noqa: SLF001
        aborted = source._aborted_producers  # noqa: SLF001
        source._consume_aborted_up_to(batch.base_offset)  # noqa: SLF001
        if batch.is_control_batch and source._contains_abort_marker(batch):  # noqa: SLF001
            aborted.discard(batch.producer_id)
        if batch.is_transactional and batch.producer_id in aborted:
            return True
    return bool(batch.is_control_batch)
