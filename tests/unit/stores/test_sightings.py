"""Mapped tables of sightings: the same answers as a dictionary, across restarts, kills and bounds."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.records.sightings import MOST_ENTRIES, decode_pack, encode_packs
from tamis.stores.sightings.memory import MemorySightings
from tamis.stores.sightings.partition import PartitionSightings, SightingsPolicy, SightingsTakenError
from tamis.stores.sightings.segment import WAYS, Segment

SMALL = SightingsPolicy(window_minutes=10, max_bytes=1 << 20, first_buckets=2)


def id_of(number: int) -> bytes:
    """Few buckets, so that they overflow into the next ones."""
    return struct.pack("<QQ", number % 7, number)


def entry(number: int) -> bytes:
    return id_of(number) + number.to_bytes(8, "big")


def numbers(found: Any) -> dict[int, int]:
    return {place: int.from_bytes(said, "big") for place, said in found.items()}


steps = st.lists(
    st.tuples(st.integers(0, 3), st.lists(st.integers(0, 400), unique=True, max_size=40)), min_size=1, max_size=12
)


@given(steps=steps)
def test_the_tables_answer_like_a_dictionary(tmp_path_factory: pytest.TempPathFactory, steps: Any) -> None:
    folder = tmp_path_factory.mktemp("seen") / "0"
    plain, tables, minute, seen = MemorySightings(SMALL.window_minutes), PartitionSightings(folder, SMALL), 1_000, set()
    for number, (passed, wanted) in enumerate(steps):
        minute += passed
        ids = b"".join(map(id_of, wanted))
        assert tables.find(ids, minute) == plain.find(ids, minute)
        fresh = b"".join(entry(each) for each in wanted if each not in seen)
        seen |= set(wanted)
        plain.add(minute, fresh)
        tables.add(minute, fresh)
        tables.reached(number, minute)
        if number % 3 == 2:
            tables.close()
            tables = PartitionSightings(folder, SMALL)
    tables.close()


def test_a_folder_goes_on_where_it_was(tmp_path: Path) -> None:
    first = PartitionSightings(tmp_path / "0", SMALL)
    first.add(5, b"".join(map(entry, range(1_000))))
    first.reached(77, 123_456)
    first.close()
    again = PartitionSightings(tmp_path / "0", SMALL)
    assert (again.next, again.stamp, again.count) == (77, 123_456, 1_000)
    found = numbers(again.find(b"".join(map(id_of, range(1_200))), 5))
    assert found == {number: number for number in range(1_000)}


def test_entries_added_twice_do_no_harm(tmp_path: Path) -> None:
    store = PartitionSightings(tmp_path / "0", SMALL)
    for _ in range(2):
        store.add(5, b"".join(map(entry, range(50))))
    assert len(store.find(b"".join(map(id_of, range(60))), 5)) == 50


def test_old_tables_are_deleted_and_the_bound_shortens_the_window(tmp_path: Path) -> None:
    store = PartitionSightings(tmp_path / "0", SightingsPolicy(window_minutes=10, max_bytes=40_000, first_buckets=2))
    for minute in range(100, 108):
        store.add(minute, b"".join(map(entry, range(minute * 1_000, minute * 1_000 + 200))))
        assert store.size <= 40_000
    assert store.shortened > 0
    assert store.since(107) > 97
    assert numbers(store.find(id_of(107_199), 107)) == {0: 107_199}
    store.add(200, entry(1))
    assert store.count == 1
    assert len(list((tmp_path / "0").glob("*.seen"))) == 1


def test_one_process_at_a_time(tmp_path: Path) -> None:
    first = PartitionSightings(tmp_path / "0", SMALL)
    with pytest.raises(SightingsTakenError):
        PartitionSightings(tmp_path / "0", SMALL)
    first.close()
    PartitionSightings(tmp_path / "0", SMALL).close()


@pytest.mark.parametrize("damage", ["layout", "boot", "short", "name"])
def test_a_folder_that_cannot_be_trusted_is_emptied(tmp_path: Path, damage: str) -> None:
    store = PartitionSightings(tmp_path / "0", SMALL)
    store.add(5, entry(1))
    store.reached(9, 9)
    store.close()
    position, (table,) = tmp_path / "0" / "position", (tmp_path / "0").glob("*.seen")
    if damage == "layout":
        position.write_bytes(position.read_bytes().replace(b"tamisSEE", b"tamisOLD"))
    elif damage == "boot":
        position.write_bytes(position.read_bytes()[:-8] + b"xxxxxxxx")
    elif damage == "short":
        os.truncate(table, 100)
    else:
        table.rename(table.with_name("strange.seen"))
    again = PartitionSightings(tmp_path / "0", SMALL)
    assert (again.next, again.count, list((tmp_path / "0").glob("*.seen"))) == (None, 0, [])


def test_the_folder_is_private(tmp_path: Path) -> None:
    PartitionSightings(tmp_path / "a" / "0", SMALL).close()
    assert (tmp_path / "a" / "0").stat().st_mode & 0o777 == 0o700


def test_a_table_torn_by_a_kill_is_mended_by_adding_again(tmp_path: Path) -> None:
    path = tmp_path / "t"
    table = Segment(path, 2)
    slots = 2 * WAYS
    with path.open("r+b") as file:  # ids written, their minutes not: the slot counts as empty
        file.seek(4_096)
        file.write(id_of(3)[:8])
    again = Segment(path, 2)
    assert (table.count, again.count, again.room) == (0, 0, int(slots * 0.6))


def test_packs_hold_what_they_were_made_of() -> None:
    fresh = {7: [entry(n) for n in range(MOST_ENTRIES + 1)], 8: [entry(1)]}
    packs = [decode_pack(value) for value in encode_packs(fresh, 100, 200)]
    assert [(p.minute, p.first, p.next, len(p.entries) // 24) for p in packs] == [
        (7, 100, 200, MOST_ENTRIES), (7, 100, 200, 1), (8, 100, 200, 1)
    ]  # fmt: skip
    assert packs[2].entries == entry(1)


@pytest.mark.parametrize("value", [b"", b"\x01" * 10, b"\x02" + bytes(23), b"\x01" + bytes(24)])
def test_a_foreign_record_is_a_fault(value: bytes) -> None:
    with pytest.raises(ValueError, match=r"dedupe\.log"):
        decode_pack(value)
