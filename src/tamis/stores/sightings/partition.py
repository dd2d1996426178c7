"""The sightings of one raw partition, on disk: tables by time, and the input offset they reach to.

Rules: what is added was committed before; the offset is written after the entries, so after a kill it is at most
behind, and adding an entry again does no harm. One process at a time: a lock on the folder; the kernel frees it with
the process. A folder of another layout, of another run of the host (its last writes may be lost) or that reaches
beyond what is committed is emptied, and everything is read from ``dedupe.log`` again. A table begins when the last one
is full or has lasted half a window, so at most three hold a whole window at a steady rate; tables whose time has passed
are deleted, and when the folder would grow beyond its bound the oldest goes early, which shortens the window: counted.
Not handled here: reading ``dedupe.log`` (``streaming.agents.sightings``).
"""

import fcntl
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from tamis.domain.sightings import FINGERPRINT_BYTES
from tamis.stores.sightings.segment import MOST_FILLED, SLOT_BYTES, WAYS, Segment, size_of

LAYOUT = 1
_POSITION = struct.Struct("<8sI4xqq32s")
_MAGIC = b"tamisSEE"
_GROWTH = 4
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class SightingsPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How much is remembered.

    Attributes:
        window_minutes: how long a sighting counts.
        max_bytes: most that the tables of one partition may take, on disk and in the page cache.
        first_buckets: size of the first table, in buckets of eight; a power of two.
    """

    window_minutes: int = 24 * 60
    max_bytes: int = 512 << 20
    first_buckets: int = 1_024


class SightingsTakenError(Exception):
    """Another process has the folder."""


class PartitionSightings:
    """``ports.Sightings`` of one partition.

    Args:
        folder: its own; made when it is not there, mode 0700.
        policy: see ``SightingsPolicy``.

    Attributes:
        next: input offset up to which the folder has everything; None when it is empty.
        stamp: record time of the last pack added, ms.
        shortened: tables that went before their time.

    Raises:
        SightingsTakenError: another process has the folder.
    """

    __slots__ = ("_folder", "_lock", "_policy", "_segments", "next", "shortened", "stamp")

    def __init__(self, folder: Path, policy: SightingsPolicy) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder, self._policy = folder, policy
        self._lock = os.open(folder / "position", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            self._lock = -1
            raise SightingsTakenError(str(folder)) from error
        self._segments: list[tuple[int, Segment]] = []
        self.next: int | None = None
        self.stamp = 0
        self.shortened = 0
        self._restore()

    def find(self, ids: bytes, minute: int) -> Mapping[int, bytes]:
        """See ``ports.Sightings.find``."""
        words = np.frombuffer(ids, "<u8").reshape(-1, 2)
        high, low = np.ascontiguousarray(words.T)
        oldest = minute - self._policy.window_minutes
        found: dict[int, bytes] = {}
        for _, segment in self._segments:
            if segment.newest >= oldest:
                places, saids = segment.find(high, low, oldest)
                for place, said in zip(places, saids, strict=True):
                    found[int(place)] = int(said).to_bytes(FINGERPRINT_BYTES, "little")
        return found

    def add(self, minute: int, entries: bytes) -> None:
        """Remembers what a batch saw for the first time in a minute: 16 bytes of id and 8 of fingerprint each."""
        words = np.frombuffer(entries, "<u8").reshape(-1, 3)
        high, low, said = (words[:, column].copy() for column in range(3))
        start = 0
        while start < len(high):
            segment = self._open(minute)
            end = start + segment.room
            segment.add(high[start:end], low[start:end], said[start:end], minute)
            start = min(end, len(high))

    def reached(self, next_: int, stamp: int) -> None:
        """Everything before input offset ``next_`` was added; ``stamp`` is the record time of the last pack, ms."""
        self.next, self.stamp = next_, stamp
        os.pwrite(self._lock, _POSITION.pack(_MAGIC, LAYOUT, next_, stamp, _boot()), 0)

    def forget(self) -> None:
        """Empties the folder: everything has to be added again."""
        os.ftruncate(self._lock, 0)
        for _, segment in self._segments:
            segment.delete()
        for path in self._folder.glob("*.seen"):
            path.unlink()
        self._segments, self.next, self.stamp = [], None, 0

    def close(self) -> None:
        """Lets other processes have the folder."""
        self._segments = []
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __del__(self) -> None:
        self.close()

    @property
    def count(self) -> int:
        """Ids held, the expired ones of live tables included."""
        return sum(segment.count for _, segment in self._segments)

    @property
    def size(self) -> int:
        """Bytes of the tables."""
        return sum(size_of(segment.buckets) for _, segment in self._segments)

    def since(self, minute: int) -> int:
        """First minute of which everything is remembered, seen from ``minute``; later when shortened."""
        oldest = minute - self._policy.window_minutes
        return max(oldest, self._segments[0][0]) if self.shortened and self._segments else oldest

    def _restore(self) -> None:
        held = os.pread(self._lock, _POSITION.size, 0)
        if len(held) == _POSITION.size:
            magic, layout, next_, stamp, boot = _POSITION.unpack(held)
            if (magic, layout, boot) == (_MAGIC, LAYOUT, _boot()):
                paths = sorted(self._folder.glob("*.seen"))
                found = [_named(path) for path in paths]
                if all(found):
                    pairs = zip(paths, found, strict=True)
                    self._segments = [(each[0], Segment(path, each[1])) for path, each in pairs if each]
                    self.next, self.stamp = next_, stamp
                    return
        self.forget()

    def _open(self, minute: int) -> Segment:
        """The table for entries of ``minute``, with room."""
        segments, half = self._segments, max(1, self._policy.window_minutes // 2)
        if segments:
            started, last = segments[-1]
            if last.room > 0 and minute - started < half:
                return last
            full = last.room <= 0
            buckets = last.buckets * _GROWTH if full else _fitting(last.count)
        else:
            buckets = self._policy.first_buckets
        most = max(1, self._policy.max_bytes // 4 // (WAYS * SLOT_BYTES))
        buckets = min(max(buckets, self._policy.first_buckets), 1 << (most.bit_length() - 1))
        self._make_room(minute, size_of(buckets))
        number = int(segments[-1][1].path.name[:10]) + 1 if segments else 0
        segment = Segment(self._folder / f"{number:010d}-{minute}-{buckets}.seen", buckets)
        segments.append((minute, segment))
        return segment

    def _make_room(self, minute: int, size: int) -> None:
        segments, oldest = self._segments, minute - self._policy.window_minutes
        while segments and segments[0][1].newest < oldest:
            segments.pop(0)[1].delete()
            self.shortened = 0
        while segments and self.size + size > self._policy.max_bytes:
            segments.pop(0)[1].delete()
            self.shortened += 1


def _fitting(count: int) -> int:
    """Buckets for a quarter more ids than ``count``, a power of two."""
    slots = int(count * 1.25 / MOST_FILLED)
    return 1 << max(0, (slots // WAYS).bit_length())


def _named(path: Path) -> tuple[int, int] | None:
    """Start minute and buckets in a table's name, None when the file is not what its name says."""
    parts: list[Any] = path.stem.split("-")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):  # noqa: PLR2004 - number, minute, buckets
        return None
    minute, buckets = int(parts[1]), int(parts[2])
    return (minute, buckets) if path.stat().st_size == size_of(buckets) else None


def _boot() -> bytes:
    """Names this run of the host; empty where the kernel does not tell, then a folder never outlives a process."""
    try:
        return _BOOT_ID.read_bytes()[:32]
    except OSError:
        return os.urandom(32)
