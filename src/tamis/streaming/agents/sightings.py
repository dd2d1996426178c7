"""What was seen on each owned partition of ``events.raw``: kept on disk, brought up to date from ``dedupe.log``.

Rules: at take-over everything that is committed in ``dedupe.log`` and not yet in the partition's folder is read before
the first batch is decided. What a batch saw enters the folder after its commit and counts for later batches from the
moment it is decided, so batches that commit together know of each other. At least once, a pack may be ahead of the
committed input offset; its events come again and must not be taken for repeats, so it is left out. When another process
still has the folder (a frozen worker), a private one is filled from the log instead.
Not handled here: deciding what a repeat is (``domain.sightings``).
"""

import os
import shutil
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import structlog

from tamis.domain.sightings import ID_BYTES, MINUTE_MS
from tamis.records.sightings import decode_pack
from tamis.stores.sightings.partition import PartitionSightings, SightingsPolicy, SightingsTakenError
from tamis.streaming.reader import Stored

# Packs at most so much older than the folder's stamp are read again: commits and record times may disagree by this.
_OVERLAP_MS = 10 * MINUTE_MS

_log = structlog.get_logger("tamis.sightings")


class LogReader(Protocol):
    """Reads a whole partition in stretches."""

    def stretches(self, topic: str, partition: int, since_ms: int | None) -> AsyncIterator[Sequence[Stored]]:
        """Committed records from record time ``since_ms`` (None: the first there is) to the end of now, in order."""


class SightingsObserver(Protocol):
    """Told how much is remembered."""

    def remembered(self, partition: int, ids: int, size_bytes: int, window_s: int) -> None:
        """After each commit: ids held, bytes of their tables, and how far back they reach."""


class KeptSightings:
    """``ports.Sightings`` of one partition: what is committed, and what is decided but not yet committed.

    Args:
        store: what is committed.
        private: folder to remove at the end, None when it stays.
    """

    __slots__ = ("_pending", "_private", "store")

    def __init__(self, store: PartitionSightings, private: Path | None) -> None:
        self.store = store
        self._private = private
        self._pending: list[dict[bytes, bytes]] = []

    def find(self, ids: bytes, minute: int) -> Mapping[int, bytes]:
        """See ``ports.Sightings.find``."""
        found = self.store.find(ids, minute)
        if not self._pending:
            return found
        merged = dict(found)
        for place in range(len(ids) // ID_BYTES):
            id_ = ids[place * ID_BYTES : (place + 1) * ID_BYTES]
            for batch in self._pending:
                if id_ in batch:
                    merged.setdefault(place, batch[id_])
        return merged

    def decided(self, fresh: Mapping[int, Sequence[bytes]]) -> None:
        """A batch was decided that saw these for the first time."""
        entries = (entry for minute in fresh.values() for entry in minute)
        self._pending.append({entry[:ID_BYTES]: entry[ID_BYTES:] for entry in entries})

    def committed(self, fresh: Mapping[int, Sequence[bytes]], next_: int, stamp: int) -> None:
        """The oldest batch decided is committed: input up to ``next_``, record time of its packs ``stamp``, ms."""
        self._pending.pop(0)
        for minute, entries in fresh.items():
            self.store.add(minute, b"".join(entries))
        if fresh:
            self.store.reached(next_, stamp)

    def close(self) -> None:
        """Lets go of the folder."""
        self.store.close()
        if self._private is not None:
            shutil.rmtree(self._private, ignore_errors=True)


class SightingsKeeper:
    """Opens the sightings of partitions.

    Args:
        folder: of this worker's topic on this host; shared by its workers.
        topic: full name of ``dedupe.log``.
        reader: reads it.
        policy: how much is remembered.
        observer: told after each commit.
        at_least_once: outputs and offset are not one transaction.
    """

    def __init__(
        self,
        folder: Path,
        topic: str,
        reader: LogReader,
        policy: SightingsPolicy,
        observer: SightingsObserver,
        *,
        at_least_once: bool = False,
    ) -> None:
        self._folder, self._topic, self._reader, self._policy = folder, topic, reader, policy
        self._observer = observer
        self._at_least_once = at_least_once
        self._open: dict[int, KeptSightings] = {}

    async def open(self, partition: int, committed: int | None) -> KeptSightings:
        """The partition's sightings, up to date.

        Args:
            partition: its number.
            committed: committed input offset, None when there is none.
        """
        before = self._open.pop(partition, None)
        if before is not None:
            before.close()
        kept = self._open[partition] = self._claim(partition)
        store = kept.store
        if store.next is not None and store.next > (committed or 0):
            store.forget()
        packs = await self._catch_up(partition, store, committed)
        _log.info("sightings open", partition=partition, applied=packs, count=store.count)
        return kept

    def decided(
        self, partition: int, kept: KeptSightings, fresh: Mapping[int, Sequence[bytes]], next_: int, stamp: int | None
    ) -> Callable[[], None]:
        """A batch up to input offset ``next_`` saw ``fresh`` first; gives what to do once it is committed."""
        kept.decided(fresh)

        def remember() -> None:
            written = time.time_ns() // 1_000_000 if stamp is None else stamp
            kept.committed(fresh, next_, written)
            if fresh:
                minute, store = max(fresh), kept.store
                self._observer.remembered(partition, store.count, store.size, 60 * (minute - store.since(minute)))

        return remember

    def _claim(self, partition: int) -> KeptSightings:
        shared = self._folder / str(partition)
        try:
            return KeptSightings(PartitionSightings(shared, self._policy), None)
        except SightingsTakenError:
            private = self._folder / f"private-{os.getpid()}-{partition}-{time.monotonic_ns()}"
            _log.warning("another process has the sightings: they are read again", partition=partition)
            return KeptSightings(PartitionSightings(private, self._policy), private)

    async def _catch_up(self, partition: int, store: PartitionSightings, committed: int | None) -> int:
        """Adds what the log has and the folder has not; gives how many packs."""
        since = None if store.next is None else store.stamp - _OVERLAP_MS
        behind, added, reached = store.next or 0, 0, store.next
        stamp = store.stamp
        async for records in self._reader.stretches(self._topic, partition, since):
            for record in records:
                pack = decode_pack(record.value or b"")
                if pack.next <= behind or (self._at_least_once and pack.first >= (committed or 0)):
                    continue
                store.add(pack.minute, pack.entries)
                reached, stamp = pack.next, record.timestamp
                added += 1
            if reached is not None and added:
                store.reached(reached, stamp)
        return added
