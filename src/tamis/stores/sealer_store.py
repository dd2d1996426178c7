"""What the sealer must never forget, in SQLite outside Kafka: the state of each log, and the control log's leaves.

Rules: a log's (size, root) moves only by compare-and-swap, so of two sealers on one store one signs each size; states
and leaves are on disk before anything is signed. Whoever can edit this file can make the sealer contradict itself:
it belongs to the sealer's user alone.
"""

import sqlite3
from collections.abc import Iterable
from pathlib import Path

import msgspec

from tamis.domain.audit.merkle import EMPTY_ROOT
from tamis.domain.audit.verify import CheckedState

STORE_FILE = "state.sqlite"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS logs (
    origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, state BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS control (seq INTEGER PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class SealedState(msgspec.Struct, frozen=True, kw_only=True):
    """Where a log stands.

    Attributes:
        checked: of its verifier, behind the last head.
        heads_end: bytes of the export's ``heads``.
        position: next offset to read, in its topic and partition.
        head_offset: of the last head, -1 without one.
        head_hash: SHA-256 of its value, hex.
        topic_id: the broker's id of the topic.
        refused: name of the check that failed, "" while all is well.
        detail: of the failure.
    """

    checked: CheckedState
    heads_end: int = 0
    position: int = 0
    head_offset: int = -1
    head_hash: str = ""
    topic_id: str = ""
    refused: str = ""
    detail: str = ""


class SealConflictError(Exception):
    """Another sealer moved this log on: what was prepared must not be signed."""


class SealerStore:
    """The store of one sealer.

    Args:
        folder: made with mode 0700 when missing.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._database = sqlite3.connect(folder / STORE_FILE, timeout=30.0, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=FULL")
        self._database.executescript(_SCHEMA)
        self._decode = msgspec.json.Decoder(SealedState).decode

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def origins(self) -> list[str]:
        """All logs known."""
        return [row[0] for row in self._database.execute("SELECT origin FROM logs ORDER BY origin")]

    def log(self, origin: str) -> tuple[int, bytes, SealedState] | None:
        """Size, root and state of a log, None when it is new."""
        row = self._database.execute("SELECT size, root, state FROM logs WHERE origin = ?", (origin,)).fetchone()
        return None if row is None else (row[0], row[1], self._decode(row[2]))

    def swap(self, origin: str, old: tuple[int, bytes], new: tuple[int, bytes], state: SealedState) -> None:
        """Move a log from one (size, root) to another, and keep its state.

        Raises:
            SealConflictError: the log is not at ``old``, or ``new`` is smaller.
        """
        if new[0] < old[0] or (new[0] == old[0] and new[1] != old[1]):
            raise SealConflictError(f"{origin}: size {new[0]} after {old[0]}")
        value = msgspec.json.encode(state)
        if old == (0, EMPTY_ROOT):
            self._database.execute(
                "INSERT INTO logs (origin, size, root, state) VALUES (?, 0, ?, ?) ON CONFLICT DO NOTHING",
                (origin, EMPTY_ROOT, value),
            )
        changed = self._database.execute(
            "UPDATE logs SET size = ?, root = ?, state = ? WHERE origin = ? AND size = ? AND root = ?",
            (*new, value, origin, *old),
        ).rowcount
        if changed != 1:
            raise SealConflictError(f"{origin}: another sealer moved it on from size {old[0]}")

    def add_control(self, first: int, leaves: Iterable[bytes], requests_next: int) -> None:
        """Keep leaves of the control log, and how far the requests were read, in one transaction.

        Raises:
            SealConflictError: another sealer sequenced leaves there.
        """
        self._database.execute("BEGIN IMMEDIATE")
        try:
            self._database.executemany("INSERT INTO control (seq, value) VALUES (?, ?)", enumerate(leaves, first))
            self._set("requests_next", str(requests_next))
        except sqlite3.IntegrityError:
            self._database.execute("ROLLBACK")
            raise SealConflictError(f"control leaf {first} was sequenced by another sealer") from None
        self._database.execute("COMMIT")

    def control(self, first: int = 0) -> list[bytes]:
        """Leaves of the control log from ``first`` on."""
        rows = self._database.execute("SELECT value FROM control WHERE seq >= ? ORDER BY seq", (first,))
        return [row[0] for row in rows]

    def meta(self, name: str) -> str | None:
        """A named value: "requests_next", "requests_topic"."""
        row = self._database.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, name: str, value: str) -> None:
        """Keep a named value."""
        self._set(name, value)

    def _set(self, name: str, value: str) -> None:
        self._database.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (name, value))
