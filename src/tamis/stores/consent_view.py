"""Read side of the consent replica: what workers ask before they let anything out.

Rules: a reader works on a snapshot that ``version``, ``age``, ``caught_up`` and ``gate`` renew, so within a batch all
look-ups agree and the next batch sees everything the writer has committed. It tolerates a writer that restarts, grows
the file or replaces it. While there is no usable file nothing is known: no record, infinite age, closed gate. A damaged
record is a fault: it is reported to the writer, which rebuilds.
"""

import contextlib
import time
from collections.abc import Callable
from enum import StrEnum
from math import inf
from pathlib import Path
from typing import Any

import lmdb
import msgspec

from tamis.domain.consent.model import SubjectRecord
from tamis.stores import replica_file as file
from tamis.stores.replica import ReplicaDamagedError, ReplicaWriter
from tamis.stores.replica_file import ReplicaFolder, ReplicaHandle

LOOK_AGAIN_S = 0.5
MAX_DECODED = 10_000
_GENERATION = 1 << 44

_decode = msgspec.json.Decoder(SubjectRecord).decode


class GateReason(StrEnum):
    """Why intake must wait; a closed set, used as metric label and in messages."""

    NO_REPLICA = "no_replica"
    NOT_CAUGHT_UP = "replica_not_caught_up"
    UNKNOWN_AGE = "consent_age_unknown"
    TOO_OLD = "consent_too_old"
    CLOCK_AHEAD = "consent_clock_ahead"


class LmdbConsentView:
    """Implements ``ports.ConsentView``; for one thread.

    Args:
        folder: the replica's folder.
        writer: the writer, when it lives in this process (LMDB allows one opening per process).
        max_ahead_s: consent clocks further ahead of now than this are not believed; ``inf`` under record time.
        monotonic: seconds, for how often a missing or replaced file is looked for.
    """

    def __init__(
        self,
        folder: Path,
        *,
        writer: ReplicaWriter | None = None,
        max_ahead_s: float = inf,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._place = ReplicaFolder(folder)
        self._writer = writer
        self._max_ahead_s = max_ahead_s
        self._monotonic = monotonic
        self._handle: ReplicaHandle | None = None
        self._txn: Any = None
        self._inode: tuple[int, int] | None = None
        self._generation = 0
        self._look_at = -inf
        self._decoded: dict[str, tuple[bytes, SubjectRecord]] = {}
        if writer is not None:
            writer.before_remap.append(self.release)

    def get(self, subject_key: str) -> SubjectRecord | None:
        """See ``ports.ConsentView.get``.

        Raises:
            ReplicaDamagedError: the record is not as it was written.
        """
        txn = self._txn if self._txn is not None else self._begin()
        if txn is None:
            return None
        try:
            stored = txn.get(subject_key.encode())
        except lmdb.Error as error:
            raise self._damaged(type(error).__name__) from None
        if stored is None:
            return None
        known = self._decoded.get(subject_key)
        if known is not None and known[0] == stored:
            return known[1]
        return self._read(subject_key, stored)

    def _read(self, subject_key: str, stored: bytes) -> SubjectRecord:
        if not file.intact(stored):
            raise self._damaged("checksum")
        try:
            record = _decode(stored[: -file.CRC_BYTES])
        except msgspec.DecodeError:
            raise self._damaged("encoding") from None
        if len(self._decoded) >= MAX_DECODED:
            self._decoded.clear()
        self._decoded[subject_key] = stored, record
        return record

    def version(self) -> int:
        """See ``ports.ConsentView.version``; also changes when the file is replaced."""
        count = self._fact(file.VERSION, 0)  # first: it may open another file
        return self._generation * _GENERATION + count

    def age(self, now_ms: int) -> float:
        """Seconds since the time up to which all consent is known; infinite while any part is unknown.

        Args:
            now_ms: the time events are judged at.
        """
        oldest = self._fact(file.OLDEST, -1)
        return inf if oldest < 0 else (now_ms - oldest) / 1000

    def caught_up(self) -> bool:
        """Whether the replica has reached what was in the topic when its writer started first."""
        return self._fact(file.CAUGHT_UP, 0) != 0

    def gate(self, now_ms: int, max_age_s: float) -> str | None:
        """Why intake must wait, None when it may go on.

        Args:
            now_ms: the time events are judged at.
            max_age_s: bound on the age of consent.
        """
        age = self.age(now_ms)
        if self._handle is None:
            return GateReason.NO_REPLICA.value
        if not self.caught_up():
            return GateReason.NOT_CAUGHT_UP.value
        if age == inf:
            return GateReason.UNKNOWN_AGE.value
        if age > max_age_s:
            return GateReason.TOO_OLD.value
        return GateReason.CLOCK_AHEAD.value if age < -self._max_ahead_s else None

    def release(self) -> None:
        """End the snapshot; the next question takes a new one."""
        if self._txn is not None:
            self._txn.abort()
            self._txn = None

    def close(self) -> None:
        """Let go of the file."""
        self.release()
        if self._handle is not None and self._writer is None:
            self._handle.env.close()
        self._handle = None

    # -- the snapshot

    def _fact(self, key: bytes, default: int) -> int:
        self.release()
        txn = self._begin()
        if txn is None or self._handle is None:
            return default
        try:
            return file.number(txn.get(key, db=self._handle.facts), default)
        except lmdb.Error as error:
            raise self._damaged(type(error).__name__) from None

    def _begin(self) -> Any:
        self._follow_file()
        handle = self._handle
        if handle is None:
            return None
        try:
            self._txn = handle.env.begin(db=handle.records)
        except lmdb.MapResizedError:
            handle.env.set_mapsize(0)
            self._txn = handle.env.begin(db=handle.records)
        except lmdb.ReadersFullError:  # slots of processes that were killed
            handle.env.reader_check()
            self._txn = handle.env.begin(db=handle.records)
        except lmdb.Error as error:
            raise self._damaged(type(error).__name__) from None
        return self._txn

    def _follow_file(self) -> None:
        """Open the file that is there now, if it is not the one already open."""
        if self._writer is not None:
            if self._writer.handle is not self._handle:
                self._handle, self._generation = self._writer.handle, self._generation + 1
            return
        now = self._monotonic()
        if now >= self._look_at:
            self._look_at = now + LOOK_AGAIN_S
            inode = self._place.inode()
            if inode != self._inode or self._handle is None:
                self._reopen(inode)

    def _reopen(self, inode: tuple[int, int] | None) -> None:
        if self._handle is not None:
            self.release()
            self._handle.env.close()
            self._handle = None
        if inode is not None:
            with contextlib.suppress(lmdb.Error):
                self._handle = file.open_reader(self._place)
                self._generation += 1
        self._inode = inode

    def _damaged(self, what: str) -> ReplicaDamagedError:
        file.ask_for_rebuild(self._place)
        return ReplicaDamagedError(f"the consent replica is damaged ({what}); it will be rebuilt")
