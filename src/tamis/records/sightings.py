"""Value of ``dedupe.log``: what one batch saw for the first time in one minute, packed.

Layout, little-endian: version (1 byte), three zero bytes, epoch minute of ``received_at`` (4), first offset of the
input batch (8), offset after it (8), then 24 bytes an event: 16 of its keyed id and 8 of its keyed fingerprint. A batch
may give several packs, of one minute each and of at most ``MOST_ENTRIES`` events.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from tamis.domain.sightings import ENTRY_BYTES

VERSION = 1
MOST_ENTRIES = 20_000
_HEAD = struct.Struct("<B3xIqq")


class SightingsPack(msgspec.Struct, frozen=True, gc=False):
    """A decoded record of ``dedupe.log``.

    Attributes:
        minute: epoch minute of ``received_at``.
        first, next: input offsets of the batch, ``[first, next)``.
        entries: ids and fingerprints, 24 bytes an event.
    """

    minute: int
    first: int
    next: int
    entries: bytes


def encode_packs(fresh: Mapping[int, Sequence[bytes]], first: int, next_: int) -> Iterator[bytes]:
    """The records of a batch.

    Args:
        fresh: minute -> entries of 24 bytes.
        first: first input offset of the batch.
        next_: input offset after it.
    """
    for minute, entries in fresh.items():
        head = _HEAD.pack(VERSION, minute, first, next_)
        for start in range(0, len(entries), MOST_ENTRIES):
            yield head + b"".join(entries[start : start + MOST_ENTRIES])


def decode_pack(value: bytes) -> SightingsPack:
    """A record of ``dedupe.log``.

    Raises:
        ValueError: not written by tamis, a fault.
    """
    if len(value) < _HEAD.size or value[0] != VERSION or (len(value) - _HEAD.size) % ENTRY_BYTES:
        raise ValueError("not a record of dedupe.log of this version")
    _, minute, first, next_ = _HEAD.unpack_from(value)
    return SightingsPack(minute, first, next_, value[_HEAD.size :])
