"""The files of the consent replica: layout, identity, integrity, and moving a bad one aside.

Rules: one LMDB environment with two tables: subject records (each with its CRC-32) and facts about the replica
(identity, offsets, heartbeats, counters), written in one transaction. A file is used only if it opens, is as long as it
says, is of this schema, cluster and topic, and a sample of its records is intact; a check that killed the process
counts as failed. The folder is private to the user that runs tamis.
Not handled here: a full scan (each look-up checks the record it reads), what is written (``stores.replica``).
"""

import os
import shutil
import zlib
from pathlib import Path
from typing import Any

import lmdb
import msgspec

from tamis.settings import SetupError

SCHEMA = 1
RECORDS = b"records"
FACTS = b"facts"
IDENTITY = b"identity"
VERSION = b"version"
OLDEST = b"oldest"
CAUGHT_UP = b"caught_up"
APPLIED_AT = b"applied_at"
NEXT_PREFIX = b"next/"
BEAT_PREFIX = b"beat/"

CRC_BYTES = 4
_RESIDUE = 0x2144DF1C
MAX_READERS = 512
FIRST_MAP_BYTES = 64 << 20
PROBES = 64


class ReplicaError(SetupError):
    """The replica cannot go on; the message says what an operator can do."""


class ReplicaIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """What a replica is a copy of.

    Attributes:
        cluster: the cluster's id.
        topic: full name and id of the topic, so that a re-created topic is another one.
        partitions: how many the topic has.
        schema: layout of this file.
    """

    cluster: str
    topic: str
    partitions: int
    schema: int = SCHEMA


class ReplicaFolder:
    """Places within the replica's folder.

    Args:
        folder: one per host; ``<state_dir>/replica`` by default.
    """

    __slots__ = ("bad", "checking", "environment", "folder", "lock", "rebuild")

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = folder / "lmdb"
        self.bad = folder / "lmdb.bad"
        self.lock = folder / "writer.lock"
        self.checking = folder / "checking"
        self.rebuild = folder / "rebuild"

    @property
    def file(self) -> Path:
        """The LMDB file."""
        return self.environment / "data.mdb"

    def inode(self) -> tuple[int, int] | None:
        """What tells the file from another one of its name; None when there is none."""
        try:
            found = self.file.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def make(self) -> None:
        """Create what is missing, for this user only."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.environment.mkdir(mode=0o700, exist_ok=True)

    def move_aside(self) -> None:
        """Keep the present file (and no older one) for whoever wants to know what happened to it."""
        shutil.rmtree(self.bad, ignore_errors=True)
        if self.environment.exists():
            self.environment.rename(self.bad)
        self.rebuild.unlink(missing_ok=True)
        self.checking.unlink(missing_ok=True)
        self.make()


class ReplicaHandle(msgspec.Struct, frozen=True):
    """An open environment with its two tables."""

    env: Any
    records: Any
    facts: Any


def open_writer(place: ReplicaFolder, map_bytes: int) -> ReplicaHandle:
    """Open for writing, making what is missing.

    Raises:
        lmdb.Error: it cannot be opened.
    """
    env = lmdb.open(
        str(place.environment),
        map_size=max(map_bytes, _size(place.file)),
        max_dbs=2,
        max_readers=MAX_READERS,
        mode=0o600,
        meminit=False,
    )
    return _tables(env, place)


def open_reader(place: ReplicaFolder) -> ReplicaHandle:
    """Open for reading.

    Raises:
        lmdb.Error: there is none, or it cannot be opened.
        ReplicaError: this process has it open already.
    """
    try:
        env = lmdb.open(str(place.environment), readonly=True, create=False, max_dbs=2, max_readers=MAX_READERS)
    except lmdb.Error as error:
        if "already open in this process" in str(error):
            raise ReplicaError("the consent replica is open in this process: share its view or writer") from None
        raise
    return _tables(env, place)


def _tables(env: Any, place: ReplicaFolder) -> ReplicaHandle:
    try:
        needed = (env.info()["last_pgno"] + 1) * env.stat()["psize"]
        if 0 < _size(place.file) < needed:  # touching what is not there would kill the process
            raise lmdb.CorruptedError("the file is shorter than its contents")
        return ReplicaHandle(env, env.open_db(RECORDS), env.open_db(FACTS))
    except lmdb.Error:
        env.close()
        raise


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def why_unusable(handle: ReplicaHandle, identity: ReplicaIdentity) -> str | None:
    """Why an opened file must be rebuilt, None when it is new or sound."""
    try:
        with handle.env.begin() as txn:
            raw = txn.get(IDENTITY, db=handle.facts)
            if raw is None:
                return None if not txn.stat(handle.records)["entries"] else "it does not say what it is a copy of"
            if msgspec.json.decode(raw, type=ReplicaIdentity) != identity:
                return "it is a copy of another topic, or of another layout"
            return _probe(txn, handle)
    except (lmdb.Error, msgspec.DecodeError) as error:
        return f"it cannot be read ({type(error).__name__})"


def _probe(txn: Any, handle: ReplicaHandle) -> str | None:
    cursor = txn.cursor(handle.records)
    if not cursor.first():
        return None
    for number in range(PROBES):
        if not cursor.set_range(bytes([number * 256 // PROBES])) and not cursor.last():
            return "its records cannot be walked"
        if not intact(cursor.value()):
            return "a record is damaged"
    return None


def sealed(value: bytes) -> bytes:
    """A record as stored: the value, then its CRC-32."""
    return value + zlib.crc32(value).to_bytes(CRC_BYTES, "little")


def intact(stored: bytes) -> bool:
    """Whether a stored record is as it was written: a CRC-32 over a text and its own CRC-32 is a constant."""
    return zlib.crc32(stored) == _RESIDUE


def number(raw: bytes | None, default: int) -> int:
    """A stored number."""
    return default if raw is None else int.from_bytes(raw, "big", signed=True)


def stored_number(value: int) -> bytes:
    """A number as stored: 8 bytes."""
    return value.to_bytes(8, "big", signed=True)


def ask_for_rebuild(place: ReplicaFolder) -> None:
    """Leave word for the writer that a reader found damage; the writer looks for it as it goes."""
    try:
        os.close(os.open(place.rebuild, os.O_CREAT | os.O_WRONLY, 0o600))
    except OSError:  # a reader without write permission: its own fault still stops it
        return
