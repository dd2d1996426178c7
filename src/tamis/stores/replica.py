"""The consent replica: a copy of ``consent.state`` in one LMDB file per host, for all workers of that host to read.

Rules: one writer per folder (``flock``); records and the offsets they bring the copy to are one LMDB transaction, so a
restart resumes exactly; heartbeats are kept apart and do not move ``version``, which changes whenever a subject record
may have changed; tombstones delete. A file that is not sound, or a copy of something else, is moved aside and built
anew from offset 0. A full map grows up to ``max_bytes``; a full disk is a ``ReplicaError`` and leaves the file at the
last transaction.
Not handled here: where the records come from (``services.replica``).
"""

import fcntl
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO

import lmdb
import msgspec

from tamis.domain.consent.model import StateHeartbeat, is_heartbeat
from tamis.ports import StateRow
from tamis.settings import UnreachableError
from tamis.stores import replica_file as file
from tamis.stores.refusals import may_refuse, refused_since
from tamis.stores.replica_file import ReplicaError, ReplicaFolder, ReplicaHandle, ReplicaIdentity

Pair = tuple[bytes, bytes]

UNKNOWN = -1  # as oldest clock: some heartbeat is missing

_decode_beat = msgspec.json.Decoder(StateHeartbeat).decode
_encode = msgspec.json.Encoder().encode


class ReplicaDamagedError(ReplicaError):
    """The file is damaged; it is built anew, so starting again may help."""

    exit_code = UnreachableError.exit_code


class ReplicaWriter:
    """The only writer of a replica.

    Args:
        folder: the replica's folder; made if missing.
        identity: what is copied.
        max_bytes: most the file may take.

    Attributes:
        opened: what was found: "new", "resumed", or why it is built anew.
        refused: when what the last ``apply`` newly refuses was received, ms; empty before it had caught up.

    Raises:
        ReplicaError: another process writes there, or the folder cannot be used.
    """

    def __init__(self, folder: Path, identity: ReplicaIdentity, *, max_bytes: int = 16 << 30) -> None:
        self.place = ReplicaFolder(folder)
        self.identity = identity
        self.before_remap: list[Callable[[], None]] = []
        self.refused: list[int] = []
        self._max_bytes = max_bytes
        self._lock = _locked(self.place)
        self.handle, self.opened = self._open()
        self._load()

    # -- opening

    def _open(self) -> tuple[ReplicaHandle, str]:
        died, asked = self.place.checking.exists(), self.place.rebuild.exists()
        if died or asked:
            self.place.move_aside()
            return self._new(), "a check of it did not end" if died else "a reader found damage"
        fresh = not self.place.file.exists()
        self.place.checking.touch(mode=0o600)
        try:
            handle = file.open_writer(self.place, self._first_map())
            why = file.why_unusable(handle, self.identity)
        except lmdb.DiskError as error:
            self.place.checking.unlink(missing_ok=True)
            raise _disk(error) from None
        except lmdb.Error as error:
            self.place.move_aside()
            return self._new(), f"it cannot be opened ({type(error).__name__})"
        if why is not None:
            handle.env.close()
            self.place.move_aside()
            return self._new(), why
        self.place.checking.unlink(missing_ok=True)
        return handle, "new" if fresh else "resumed"

    def _new(self) -> ReplicaHandle:
        try:
            return file.open_writer(self.place, self._first_map())
        except lmdb.Error as error:
            raise ReplicaError(f"the consent replica cannot be made in {self.place.folder}: {error}") from None

    def _first_map(self) -> int:
        return min(file.FIRST_MAP_BYTES, self._max_bytes)

    def _load(self) -> None:
        self._beats: dict[int, StateHeartbeat] = {}
        self._next: dict[int, int] = {}
        with self.handle.env.begin(db=self.handle.facts) as txn:
            self._version = file.number(txn.get(file.VERSION), 0)
            self.applied_at = file.number(txn.get(file.APPLIED_AT), 0)
            self.caught_up = txn.get(file.CAUGHT_UP) is not None
            for key, value in txn.cursor():
                if key.startswith(file.NEXT_PREFIX):
                    self._next[int(key[len(file.NEXT_PREFIX) :])] = file.number(value, 0)
                elif key.startswith(file.BEAT_PREFIX):
                    self._beats[int(key[len(file.BEAT_PREFIX) :])] = _decode_beat(value)

    def rebuild(self, why: str) -> None:
        """Move the file aside and begin an empty one."""
        self._remapping()
        self.handle.env.close()
        self.place.move_aside()
        self.handle, self.opened = self._new(), why
        self._load()

    def rebuild_asked(self) -> bool:
        """Whether a reader found damage."""
        return self.place.rebuild.exists()

    def close(self) -> None:
        """Close the file and let another writer in."""
        self._remapping()
        self.handle.env.close()
        self._lock.close()

    # -- applying

    def positions(self) -> dict[int, int]:
        """Partition -> next offset to apply; a partition not listed starts at its beginning."""
        return dict(self._next)

    def oldest_clock(self) -> int:
        """The time (ms) up to which all consent is in here, ``UNKNOWN`` while any heartbeat is missing."""
        clocks = []
        for partition in range(self.identity.partitions):
            beat = self._beats.get(partition)
            if beat is None or beat.partitions != self.identity.partitions or not beat.of:
                return UNKNOWN
            clocks += [beat.clocks.get(str(raw), UNKNOWN) for raw in range(beat.of)]
        return min(clocks, default=UNKNOWN)

    def apply(self, rows: Iterable[StateRow], next_offsets: Mapping[int, int], now_ms: int, *, caught_up: bool) -> int:
        """Bring the replica to ``next_offsets``, all or nothing.

        Args:
            rows: in order within a partition.
            next_offsets: partition -> offset after the last one seen, markers included.
            now_ms: time of this call.
            caught_up: all that was in the topic at the start is applied.

        Returns:
            How many subject records were written or deleted.

        Raises:
            ReplicaError: no room left on the disk or under ``max_bytes``.
            ReplicaDamagedError: the file is damaged.
        """
        subjects: dict[bytes, bytes | None] = {}
        beats: dict[int, StateHeartbeat] = {}
        for partition, _, key, value in rows:
            if not is_heartbeat(key):
                subjects[key] = value
            elif value is not None:
                beats[partition] = _decode_beat(value)
        self.refused = self._newly_refused(subjects) if self.caught_up else []
        self._beats |= beats
        self._next |= next_offsets
        self._version += bool(subjects)
        self.applied_at, self.caught_up = now_ms, caught_up or self.caught_up
        self._commit(subjects, beats, next_offsets)
        return len(subjects)

    def _newly_refused(self, subjects: Mapping[bytes, bytes | None]) -> list[int]:
        asked = [(key, value) for key, value in subjects.items() if value is not None and may_refuse(value)]
        if not asked:
            return []
        with self.handle.env.begin(db=self.handle.records) as txn:
            stored = [txn.get(key) for key, _ in asked]
        found = [
            refused_since(before[: -file.CRC_BYTES] if before is not None and file.intact(before) else None, after)
            for before, (_, after) in zip(stored, asked, strict=True)
        ]
        return [since for since in found if since is not None]

    def _commit(
        self, subjects: Mapping[bytes, bytes | None], beats: Mapping[int, StateHeartbeat], nexts: Mapping[int, int]
    ) -> None:
        records = sorted((key, file.sealed(value)) for key, value in subjects.items() if value is not None)
        gone = [key for key, value in subjects.items() if value is None]
        while not self._try_commit(records, gone, self._facts(beats, nexts)):
            self._grow()

    def _try_commit(self, records: list[Pair], gone: list[bytes], facts: list[Pair]) -> bool:
        """One transaction; False when the map is full, then nothing was written."""
        try:
            with self.handle.env.begin(write=True) as txn:
                txn.cursor(self.handle.records).putmulti(records)
                for key in gone:
                    txn.delete(key, db=self.handle.records)
                txn.cursor(self.handle.facts).putmulti(facts)
        except lmdb.MapFullError:
            return False
        except (lmdb.CorruptedError, lmdb.PageNotFoundError, lmdb.PanicError) as error:
            raise ReplicaDamagedError(f"the consent replica is damaged ({type(error).__name__})") from None
        except lmdb.Error as error:
            raise _disk(error) from None
        return True

    def _facts(self, beats: Mapping[int, StateHeartbeat], nexts: Mapping[int, int]) -> list[Pair]:
        facts = [
            (file.IDENTITY, _encode(self.identity)),
            (file.VERSION, file.stored_number(self._version)),
            (file.OLDEST, file.stored_number(self.oldest_clock())),
            (file.APPLIED_AT, file.stored_number(self.applied_at)),
            *((file.NEXT_PREFIX + b"%d" % p, file.stored_number(offset)) for p, offset in nexts.items()),
            *((file.BEAT_PREFIX + b"%d" % p, _encode(beat)) for p, beat in beats.items()),
        ]
        if self.caught_up:
            facts.append((file.CAUGHT_UP, b"1"))
        return facts

    def _grow(self) -> None:
        size = self.handle.env.info()["map_size"]
        if size >= self._max_bytes:
            raise ReplicaError(
                f"the consent replica has reached its limit of {self._max_bytes} bytes: raise consent.replica_max_bytes"
            )
        self._remapping()
        self.handle.env.set_mapsize(min(2 * size, self._max_bytes))

    def _remapping(self) -> None:
        for release in self.before_remap:
            release()


def _locked(place: ReplicaFolder) -> IO[bytes]:
    try:
        place.make()
        lock = place.lock.open("ab")
    except OSError as error:
        raise ReplicaError(f"the consent replica's folder {place.folder} cannot be used: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise ReplicaError(f"another replica process runs in {place.folder}") from None
    return lock


def _disk(error: lmdb.Error) -> ReplicaError:
    """LMDB reports a short write as an input/output error, so the two causes cannot be told apart."""
    return ReplicaError(
        f"no room left on the disk for the consent replica, or the disk fails ({error}); the last transaction stays"
    )
