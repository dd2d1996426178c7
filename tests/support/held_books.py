"""The books of held events, read back: each was decided at most once, and what was released is what left."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from tamis.domain.audit.verify import LogVerifier
from tamis.domain.outcome import LATER_DENIED
from tamis.kafka.reader import read_topic
from tamis.records.topics import Topic
from tamis.services.audit_check import is_head
from tamis.services.sealer_config import LOGS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tamis.settings import Settings

Place = tuple[int, int, int]
HELD_LOGS = (Topic.AUDIT_HELD, Topic.AUDIT_HELD_LAST)


class _Cited(msgspec.Struct):
    i: int
    o: int
    log: str
    seq: int


class _Source(msgspec.Struct):
    p: int


class _Leaf(msgspec.Struct):
    src: _Source
    out: str
    why: str
    dest: dict[str, str]
    cites: _Cited


_leaf = msgspec.json.Decoder(_Leaf).decode


class HeldBooks(msgspec.Struct, kw_only=True):
    """What was read back.

    Attributes:
        decided: place in ``events.raw`` -> (outcome, reason), of those released or denied.
        forwarded: places that waited for the last time.
        twice: leaves beyond the first that decide or forward an event.
        outcomes: decided events in the words of counts.
        granted: destination -> places that had to be sent there.
        broken: logs that do not verify.
    """

    decided: dict[Place, tuple[str, str]] = msgspec.field(default_factory=dict)
    forwarded: Counter[Place] = msgspec.field(default_factory=Counter)
    twice: int = 0
    outcomes: Counter[str] = msgspec.field(default_factory=Counter)
    granted: dict[str, Counter[Place]] = msgspec.field(default_factory=dict)
    broken: list[str] = msgspec.field(default_factory=list)


def read_held(settings: Settings, partitions: Iterable[int]) -> HeldBooks:
    """The logs of held events of some partitions."""
    books = HeldBooks()
    for log in HELD_LOGS:
        verifiers = {p: LogVerifier(p, topic=LOGS[log.value]) for p in partitions}
        for record in read_topic(settings.kafka, settings.topic(log), first=dict.fromkeys(verifiers, 0)):
            head = is_head(record)
            verifiers[record.partition].feed(head, record.value or b"")
            if not head:
                _take(books, _leaf(record.value or b""))
        reports = {p: verifier.report() for p, verifier in verifiers.items()}
        books.broken += [f"{log} {p}: {report.failure}" for p, report in reports.items() if not report.ok]
    books.twice += sum(n - 1 for n in books.forwarded.values())
    return books


def _take(books: HeldBooks, leaf: _Leaf) -> None:
    place = (leaf.src.p, leaf.cites.o, leaf.cites.i)
    if leaf.out == "forwarded":
        books.forwarded[place] += 1
        return
    books.twice += place in books.decided
    books.decided[place] = leaf.out, leaf.why
    books.outcomes["released" if leaf.out == "released" else LATER_DENIED] += 1
    for destination, reason in leaf.dest.items():
        if leaf.out == "released" and reason == "granted":
            books.granted.setdefault(destination, Counter())[place] += 1
