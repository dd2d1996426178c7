"""What a CRM keeps of a destination's stream, in SQLite; stands in for your database.

Rules: records and the offsets behind them are one transaction, so a crash loses nothing and repeats nothing; a record
below the stored offset was applied already, by this process or by one that has been replaced, and changes nothing; an
event is kept under its ``event_id``, so a producer's repeat changes nothing either. A retraction may be read before
events it covers, so it is remembered. What it covers is deleted, or refused when it comes; under a restriction it is
kept and blocked: use the view ``usable`` and nothing else. Everything else an event or
a retraction may hold in later versions is kept or ignored, never an error.
"""

import json
import sqlite3
from collections.abc import Iterable
from typing import Any, NamedTuple

SCHEMA = """
CREATE TABLE IF NOT EXISTS offsets (
    topic TEXT, partition INTEGER, next INTEGER NOT NULL, PRIMARY KEY (topic, partition)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS seen (event_id TEXT PRIMARY KEY, occurred_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (
    event_id TEXT PRIMARY KEY, subject TEXT NOT NULL, occurred_at INTEGER NOT NULL, record TEXT NOT NULL,
    blocked INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS events_of_subject ON events (subject, occurred_at);
CREATE VIEW IF NOT EXISTS usable AS SELECT event_id, subject, occurred_at, record FROM events WHERE NOT blocked;
CREATE TABLE IF NOT EXISTS retracted (
    subject TEXT PRIMARY KEY, until INTEGER NOT NULL, reason TEXT NOT NULL, purposes TEXT NOT NULL) WITHOUT ROWID;
"""
ERASURE, RESTRICTION = "erasure", "restriction"
FOR_EVER = (1 << 63) - 1


class Record(NamedTuple):
    """A record as read from Kafka."""

    topic: str
    partition: int
    offset: int
    value: bytes | None


class Applied(NamedTuple):
    """What a batch came to: new events, repeats, events a retraction refused, retractions of known subjects."""

    new: int = 0
    repeated: int = 0
    refused: int = 0
    retracted: int = 0


class Store:
    """The database of one destination.

    Args:
        path: of the SQLite file.
        destination: its id; retractions of other destinations are passed over.
        retractions: full name of the topic they come from.
    """

    def __init__(self, path: str, destination: str, retractions: str) -> None:
        self._destination, self._retractions = destination, retractions
        self._database = sqlite3.connect(path, timeout=30, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=FULL")
        self._database.executescript(SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def next_offset(self, topic: str, partition: int) -> int | None:
        """Where to go on reading, None at the beginning."""
        row = self._database.execute(
            "SELECT next FROM offsets WHERE topic = ? AND partition = ?", (topic, partition)
        ).fetchone()
        return None if row is None else int(row[0])

    def apply(self, records: Iterable[Record]) -> Applied:
        """Applies records in order, all of them or none."""
        counts = [0, 0, 0, 0]
        self._database.execute("BEGIN IMMEDIATE")
        try:
            for record in records:
                if record.offset < (self.next_offset(record.topic, record.partition) or 0):
                    continue
                if record.value is not None:
                    place = self._one(record.topic, json.loads(record.value))
                    if place is not None:
                        counts[place] += 1
                self._database.execute(
                    "INSERT OR REPLACE INTO offsets VALUES (?, ?, ?)",
                    (record.topic, record.partition, record.offset + 1),
                )
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")
        return Applied(*counts)

    def forget(self, before: int) -> None:
        """Drop ids and retractions older than ``before`` (ms); use what Kafka keeps, and your longest outage."""
        with self._database:
            self._database.execute("DELETE FROM seen WHERE occurred_at < ?", (before,))
            self._database.execute("DELETE FROM retracted WHERE until < ?", (before,))

    def _one(self, topic: str, value: dict[str, Any]) -> int | None:
        """Place in ``Applied`` of what became of a value."""
        if topic != self._retractions:
            return self._event(value)
        if value["destination"] != self._destination:
            return None
        return 3 if self._retract(value) else None

    def _event(self, event: dict[str, Any]) -> int:
        subject, occurred_at = event["subject"], event["occurred_at"]
        if "pid_prev" in event:  # the key was rotated: the same person under the pseudonym of the epoch before
            self._database.execute("UPDATE events SET subject = ? WHERE subject = ?", (subject, event["pid_prev"]))
        fresh = self._database.execute(
            "INSERT OR IGNORE INTO seen VALUES (?, ?)", (event["event_id"], occurred_at)
        ).rowcount
        if not fresh:
            return 1
        found = self._database.execute("SELECT until, reason FROM retracted WHERE subject = ?", (subject,)).fetchone()
        covered = found is not None and occurred_at <= found[0]
        if covered and found[1] != RESTRICTION:
            return 2
        row = (event["event_id"], subject, occurred_at, json.dumps(event), covered)
        self._database.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?)", row)
        return 2 if covered else 0

    def _retract(self, retraction: dict[str, Any]) -> bool:
        """Whether there was anything it covers. A later yes brings later events, which it does not cover.

        It may name some of the purposes that your events rest on; here all events go, which is never too little.
        """
        subject, reason = retraction["subject"], retraction["reason"]
        until = FOR_EVER if reason == ERASURE else retraction["effective_at"]
        found = self._database.execute("SELECT until FROM retracted WHERE subject = ?", (subject,)).fetchone()
        if found is None or until >= found[0]:
            row = (subject, until, reason, json.dumps(retraction["purposes"]))
            self._database.execute("INSERT OR REPLACE INTO retracted VALUES (?, ?, ?, ?)", row)
        what = "UPDATE events SET blocked = 1" if reason == RESTRICTION else "DELETE FROM events"
        covered = self._database.execute(f"{what} WHERE subject = ? AND occurred_at <= ?", (subject, until))
        return covered.rowcount > 0
