"""Subjects that were seen before they said anything: their record is made at first sight, and goes if nothing follows.

Rules: a record that exists is left alone, a suppressed one above all; a record made at first sight expires
``PROVISIONAL_MS`` after that unless something was stated, linked or requested meanwhile; then the subject is as if
never seen: a later event makes another record, with another salt. Time is that of consent (heartbeats), so expiry is
a function of the log. Not handled here: who announces first sights (``intake``), flagged bots (never announced).
"""

from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush
from typing import Protocol

import msgspec

from tamis.domain.consent.model import FirstSight, SubjectRecord
from tamis.domain.keyed import base64url

PROVISIONAL_MS = 30 * 86_400_000
_MARK = b'"provisional_until"'
_decode = msgspec.json.Decoder(SubjectRecord).decode


class SightTable(Protocol):
    """The table of subject records, encoded, by key."""

    def get(self, key: bytes) -> bytes | None:
        """The value of a key, or None."""

    def __setitem__(self, key: bytes, value: bytes) -> None: ...

    def __delitem__(self, key: bytes) -> None: ...

    def items(self) -> Iterable[tuple[bytes, bytes]]:
        """What is stored, committed batches only."""


def sighted(sight: FirstSight, fresh_salt: bytes) -> SubjectRecord:
    """The record of a subject that has none."""
    until = sight.at + PROVISIONAL_MS
    return SubjectRecord(
        salt=base64url(fresh_salt), revision=1, identity=sight.identity, purposes={}, provisional_until=until
    )


def expired(record: SubjectRecord, clock: int) -> bool:
    """Whether nothing but the first sight made the record, and it is too long ago; ``clock`` in ms."""
    until = record.provisional_until
    return until is not None and until <= clock and record == SubjectRecord(
        salt=record.salt, revision=record.revision, identity=record.identity, purposes={}, provisional_until=until
    )  # fmt: skip


class FirstSights:
    """The records of one partition that were made at first sight.

    Args:
        mine: whether a key of the table belongs to the partition; one table holds several.
        stored: what the table holds now that the partition is taken over; a record without the mark is not decoded.

    Attributes:
        made, gone: records made and expired so far.
    """

    __slots__ = ("_due", "gone", "made")

    def __init__(self, mine: Callable[[bytes], bool], stored: Iterable[tuple[bytes, bytes]]) -> None:
        marked = ((_until(value), key) for key, value in stored if _MARK in value and mine(key))
        self._due: list[tuple[int, bytes]] = [(until, key) for until, key in marked if until is not None]
        heapify(self._due)
        self.made = self.gone = 0

    def see(self, sight: FirstSight, table: SightTable, fresh_salt: Callable[[], bytes]) -> int:
        """Makes the record where there is none; gives how many were made."""
        key = sight.subject.encode()
        if table.get(key) is not None:
            return 0
        record = sighted(sight, fresh_salt())
        table[key] = msgspec.json.encode(record)
        heappush(self._due, (sight.at + PROVISIONAL_MS, key))
        self.made += 1
        return 1

    def sweep(self, table: SightTable, clock: int) -> int:
        """Deletes what has expired at ``clock`` (ms); gives how many."""
        gone = 0
        while self._due and self._due[0][0] <= clock:
            _, key = heappop(self._due)
            value = table.get(key)
            if value is not None and expired(_decode(value), clock):
                del table[key]
                gone += 1
        self.gone += gone
        return gone


def _until(value: bytes) -> int | None:
    return _decode(value).provisional_until
