"""Finds decisions in a folder of sealed logs: by source position, by an event's keyed tag.

Rules: positions increase within a log, so one is found by halving; a log of a worker without transactions may repeat
them, so what halving does not find is looked for leaf by leaf. Only what a checkpoint covers is found. All epochs of a
partition are looked at, the newest first.
"""

from collections.abc import Iterator, Sequence

import msgspec

from tamis.records.topics import Topic
from tamis.settings import SetupError
from tamis.stores.sealed_folder import SealedFolder, SealedLog


class Position(msgspec.Struct, frozen=True, order=True):
    """A source position: topic without prefix, partition, offset, event within the record."""

    topic: str
    partition: int
    offset: int
    index: int = 0

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}/{self.index}"


class Found(msgspec.Struct, frozen=True):
    """A leaf: its log, index and bytes."""

    log: SealedLog
    index: int
    leaf: bytes


class _Source(msgspec.Struct, gc=False):
    i: int
    o: int
    p: int
    t: str


class _Leaf(msgspec.Struct, gc=False):
    src: _Source
    kind: str = ""


_HELD = b'"out":"held"'
_decode = msgspec.json.Decoder(_Leaf).decode


def parse_position(text: str) -> Position:
    """``<topic>/<partition>/<offset>[/<index>]``.

    Raises:
        ValueError: it is not of that form.
    """
    topic, *numbers = text.split("/")
    if not topic or len(numbers) not in {2, 3} or not all(each.isascii() and each.isdecimal() for each in numbers):
        raise ValueError("a position is TOPIC/PARTITION/OFFSET or TOPIC/PARTITION/OFFSET/INDEX")
    return Position(topic, *map(int, numbers))


def position_of(leaf: bytes) -> Position:
    """Source position of a leaf.

    Raises:
        SetupError: it is no leaf of tamis.
    """
    try:
        source = _decode(leaf).src
    except msgspec.DecodeError:
        raise SetupError("a leaf of the log is none that tamis wrote") from None
    return Position(source.t, source.p, source.o, source.i)


def by_position(folder: SealedFolder, position: Position) -> list[Found]:
    """The leaf of a position in each log that has one; several where an event was decided again (held, epochs)."""
    logs = folder.of_partition(position.partition)
    found = [Found(log, index, log.entry(index)) for log in logs if (index := _halve(log, position)) is not None]
    found = found or [each for log in logs for each in _read_through(log, position)]
    return found + [later for each in found if _HELD in each.leaf for later in _citing(logs, each)]


def _citing(logs: Sequence[SealedLog], held: Found) -> Iterator[Found]:
    """The later decisions about an event that was held."""
    wanted = f'"log":"{held.log.origin}","o":{position_of(held.leaf).offset},"seq":{held.index}}}'.encode()
    for log in logs:
        if log.origin.log in (Topic.AUDIT_HELD, Topic.AUDIT_HELD_LAST):
            for first, leaves in log.bundles():
                yield from (Found(log, first + at, leaf) for at, leaf in enumerate(leaves) if wanted in leaf)


def by_tag(folder: SealedFolder, tag: str) -> list[Found]:
    """All leaves whose ``eid`` is this tag (hexadecimal)."""
    wanted = f'"eid":"{tag}"'.encode()
    return [
        Found(log, first + at, leaf)
        for log in folder.logs
        for first, leaves in log.bundles()
        for at, leaf in enumerate(leaves)
        if wanted in leaf
    ]


def _halve(log: SealedLog, position: Position) -> int | None:
    low, high = 0, log.size
    while low < high:
        middle = (low + high) // 2
        if position_of(log.entry(middle)) < position:
            low = middle + 1
        else:
            high = middle
    return low if low < log.size and _is(log.entry(low), position) else None


def _read_through(log: SealedLog, position: Position) -> Iterator[Found]:
    for first, leaves in log.bundles():
        for at, leaf in enumerate(leaves):
            if _is(leaf, position):
                yield Found(log, first + at, leaf)


def _is(leaf: bytes, position: Position) -> bool:
    return position_of(leaf) == position and not _decode(leaf).kind
