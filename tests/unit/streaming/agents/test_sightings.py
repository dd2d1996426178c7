"""The keeper: catches up from the log, tells a replay from a repeat, copes with a frozen owner."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tamis.records.sightings import encode_packs
from tamis.stores.sightings.partition import SightingsPolicy
from tamis.streaming.agents.sightings import KeptSightings, SightingsKeeper
from tamis.streaming.reader import Stored

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

POLICY = SightingsPolicy(window_minutes=60, first_buckets=4)
HOUR_MS = 3_600_000


def entry(number: int) -> bytes:
    return number.to_bytes(16, "little") + b"saidsaid"


class Log:
    """``dedupe.log`` in memory; also the observer."""

    def __init__(self) -> None:
        self.records: list[Stored] = []
        self.asked: list[int | None] = []
        self.told: list[tuple[int, int, int, int]] = []

    def write(self, minute: int, first: int, next_: int, *numbers: int) -> None:
        for value in encode_packs({minute: [entry(number) for number in numbers]}, first, next_):
            self.records.append(Stored(len(self.records), None, value, (), minute * 60_000))

    async def stretches(self, topic: str, partition: int, since_ms: int | None) -> AsyncIterator[Sequence[Stored]]:
        assert (topic, partition) == ("dedupe.log", 3)
        self.asked.append(since_ms)
        for record in self.records:
            if since_ms is None or record.timestamp >= since_ms:
                yield [record]

    def remembered(self, partition: int, ids: int, size_bytes: int, window_s: int) -> None:
        self.told.append((partition, ids, size_bytes, window_s))


def keeper(folder: Path, log: Log, *, at_least_once: bool = False) -> SightingsKeeper:
    return SightingsKeeper(folder, "dedupe.log", log, POLICY, log, at_least_once=at_least_once)


def opened(keep: SightingsKeeper, committed: int | None) -> KeptSightings:
    return asyncio.run(keep.open(3, committed))


def seen(kept: KeptSightings, *numbers: int, minute: int = 100) -> list[bool]:
    found = kept.find(b"".join(entry(number)[:16] for number in numbers), minute)
    return [place in found for place in range(len(numbers))]


def test_everything_committed_is_read_before_the_first_batch(tmp_path: Path) -> None:
    log = Log()
    log.write(100, 0, 5, 1, 2)
    log.write(100, 5, 9, 3)
    assert seen(opened(keeper(tmp_path, log), 9), 1, 2, 3, 4) == [True, True, True, False]


def test_a_folder_kept_from_before_reads_only_what_is_new(tmp_path: Path) -> None:
    log = Log()
    log.write(50, 0, 5, 1)
    log.write(100, 5, 9, 2)
    first = opened(keeper(tmp_path, log), 9)
    first.close()
    log.write(101, 9, 12, 3)
    kept = opened(keeper(tmp_path, log), 12)
    assert log.asked == [None, 90 * 60_000]
    assert seen(kept, 2, 3) == [True, True]
    assert kept.store.count == 3, "nothing was added twice"


def test_a_folder_ahead_of_the_input_is_filled_anew(tmp_path: Path) -> None:
    log = Log()
    log.write(100, 0, 50, 1)
    opened(keeper(tmp_path, log), 50).close()
    log.records.clear()
    log.write(100, 0, 5, 2)
    assert seen(opened(keeper(tmp_path, log), 5), 1, 2) == [False, True]


def test_what_was_sent_and_not_committed_is_no_repeat_when_it_comes_again(tmp_path: Path) -> None:
    log = Log()
    log.write(100, 0, 5, 1)
    log.write(100, 5, 9, 2)
    assert seen(opened(keeper(tmp_path, log, at_least_once=True), 5), 1, 2) == [True, False]


def test_batches_that_commit_together_know_of_each_other(tmp_path: Path) -> None:
    log = Log()
    keep = keeper(tmp_path, log)
    kept = opened(keep, None)
    first = keep.decided(3, kept, {100: [entry(1)]}, 1, None)
    assert seen(kept, 1, 2) == [True, False]
    second = keep.decided(3, kept, {100: [entry(2)]}, 2, 7)
    assert (seen(kept, 1, 2), kept.store.count) == ([True, True], 0)
    first()
    assert (seen(kept, 1, 2), kept.store.count, kept.store.next) == ([True, True], 1, 1)
    second()
    assert (seen(kept, 1, 2), kept.store.next, kept.store.stamp) == ([True, True], 2, 7)
    assert [told[:2] for told in log.told] == [(3, 1), (3, 2)]
    assert log.told[-1][3] == HOUR_MS // 1000


def test_a_frozen_owner_keeps_its_folder_and_the_new_one_fills_its_own(tmp_path: Path) -> None:
    log = Log()
    log.write(100, 0, 5, 1)
    frozen = opened(keeper(tmp_path, log), 5)
    mine = opened(keeper(tmp_path, log), 5)
    assert seen(mine, 1) == [True]
    mine.close()
    frozen.close()
    assert [path.name for path in tmp_path.iterdir()] == ["3"]


def test_a_record_that_tamis_did_not_write_is_a_fault(tmp_path: Path) -> None:
    log = Log()
    log.records.append(Stored(0, None, b"junk"))
    with pytest.raises(ValueError, match="dedupe"):
        opened(keeper(tmp_path, log), 5)
