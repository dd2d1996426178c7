"""Batches of consent.changes: records written only when changed, heartbeats only when all is known."""

from collections.abc import Iterable

import msgspec
import pytest

from tamis.domain.consent.fold import SALT_BYTES
from tamis.domain.consent.folding import HEARTBEAT_MS, Folder, FoldState
from tamis.domain.consent.model import (
    HEARTBEAT_KEY,
    ChangesHeartbeat,
    ConsentChange,
    StateHeartbeat,
    Status,
    SubjectRecord,
    heartbeat_key,
)
from tests.support.core import small_retractor


class Row(msgspec.Struct):
    key: bytes | None
    value: bytes | None


class Table(dict[bytes, bytes]):
    """A table that counts its writes."""

    writes = 0

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self.writes += 1
        super().__setitem__(key, value)


def grant(subject: str = "subject-a", effective_at: int = 5) -> Row:
    change = ConsentChange(
        subject=subject, identity="person", regulation="gdpr", choices={"analytics": Status.GRANTED},
        effective_at=effective_at, recorded_at=10, source="s",
    )  # fmt: skip
    return Row(subject.encode(), msgspec.json.encode(change))


def beat(partition: int, clock: int, of: int = 2) -> Row:
    return Row(HEARTBEAT_KEY, msgspec.json.encode(ChangesHeartbeat(partition=partition, of=of, clock=clock)))


class Salts:
    def __init__(self) -> None:
        self.given = 0

    def __call__(self) -> bytes:
        self.given += 1
        return bytes([self.given]) * SALT_BYTES


def fold(rows: Iterable[Row], table: Table, state: FoldState, salts: Salts | None = None) -> int:
    return Folder(3, salts or Salts(), small_retractor()).batch(1, list(rows), table, state).changed


def record(table: Table, subject: str = "subject-a") -> SubjectRecord:
    return msgspec.json.decode(table[subject.encode()], type=SubjectRecord)


def written(table: Table) -> StateHeartbeat | None:
    value = table.get(heartbeat_key(1))
    return None if value is None else msgspec.json.decode(value, type=StateHeartbeat)


def test_changes_become_records_with_salts_of_their_own() -> None:
    table, salts = Table(), Salts()
    assert fold([grant("subject-a"), grant("subject-b"), grant("subject-a", 6)], table, FoldState(), salts) == 3
    assert salts.given == 2
    assert record(table).salt != record(table, "subject-b").salt
    assert [v.effective_at for v in record(table).purposes["gdpr/analytics"]] == [6, 5]


def test_a_repeat_writes_nothing() -> None:
    table, state = Table(), FoldState()
    fold([grant()], table, state)
    before = table.writes
    assert fold([grant(), grant()], table, state) == 0
    assert table.writes == before


def test_no_heartbeat_until_every_raw_partition_was_heard() -> None:
    table, state = Table(), FoldState()
    fold([beat(0, 100)], table, state)
    assert written(table) is None
    fold([beat(1, 90)], table, state)
    assert written(table) == StateHeartbeat(clocks={"0": 100, "1": 90}, of=2, partition=1, partitions=3)


def test_a_raw_partition_that_is_added_must_be_heard_too() -> None:
    table, state = Table(), FoldState()
    fold([beat(0, 100), beat(1, 100)], table, state)
    fold([beat(0, 900_000, of=3), beat(1, 900_000)], table, state)
    found = written(table)
    assert found is not None
    assert found.clocks == {"0": 100, "1": 100}
    fold([beat(2, 900_000, of=3)], table, state)
    assert written(table) == StateHeartbeat(clocks=dict.fromkeys("012", 900_000), of=3, partition=1, partitions=3)


def test_the_heartbeat_is_the_last_write_of_the_batch() -> None:
    table = Table()
    fold([beat(0, 100), beat(1, 100), grant()], table, FoldState())
    assert list(table) == [b"subject-a", heartbeat_key(1)]


def test_heartbeats_are_written_when_the_oldest_clock_has_moved_enough() -> None:
    table, state = Table(), FoldState()
    fold([beat(0, 100), beat(1, 100)], table, state)
    fold([beat(0, 99_000), beat(1, 100 + HEARTBEAT_MS - 1)], table, state)
    assert table.writes == 1
    fold([beat(1, 100 + HEARTBEAT_MS)], table, state)
    assert table.writes == 2


def test_clocks_never_go_back() -> None:
    table, state = Table(), FoldState()
    fold([beat(0, 5_000), beat(1, 5_000), beat(0, 10)], table, state)
    assert state.clocks == {0: 5_000, 1: 5_000}


def test_a_new_owner_goes_on_from_the_heartbeat_in_the_table() -> None:
    table = Table()
    fold([beat(0, 100), beat(1, 100)], table, FoldState())
    state = FoldState()
    fold([beat(0, 60_000)], table, state)
    assert state.clocks == {0: 60_000, 1: 100}


def test_a_value_that_tamis_did_not_write_is_a_fault() -> None:
    with pytest.raises(msgspec.DecodeError):
        fold([Row(b"k", b"{")], Table(), FoldState())


def test_an_empty_batch_without_news_writes_nothing() -> None:
    table = Table()
    assert fold([], table, FoldState()) == 0
    assert table.writes == 0
