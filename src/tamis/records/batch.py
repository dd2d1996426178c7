"""A batch of one input partition as the core takes it, and what the core gives for it."""

from collections.abc import Mapping, Sequence

import msgspec

from tamis.domain.differences import Differences
from tamis.domain.noted import Noted
from tamis.domain.tally import Tally
from tamis.domain.validation import Faults
from tamis.ports import RawRecord

Record = tuple[bytes | None, bytes]


class Emissions(msgspec.Struct, frozen=True):
    """What one batch gives, to be written in one transaction.

    Attributes:
        outputs: topic without prefix -> records for the source partition.
        leaves: values for the audit log, in order.
        head: the batch head that follows them, None when there is nothing to record.
        tally: counts of the batch.
        watermark: every later record of this partition is received at or after this, ms.
        differences: how a candidate bundle would have judged the batch, None without a candidate.
        fresh: epoch minute -> 24 bytes for each event seen first in this batch (``domain.sightings``).
        violations: what was wrong with events, counted (``domain.noted``).
        faulty: number of the leaf in ``leaves`` -> what is wrong with its event; a leaf may occur twice.
        bots: (why, whether it was denied for that) -> events (``domain.bots``).
        notices: values for the audit log that stand in front of ``leaves`` and for no event.
        keyed: topic without prefix -> records for the partition of each one's key.
        sent: destination -> records for it in ``outputs``, which are let go once they are written.
    """

    outputs: Mapping[str, list[Record]]
    leaves: list[bytes]
    head: bytes | None
    tally: Tally
    watermark: int
    differences: Differences | None = None
    fresh: Mapping[int, Sequence[bytes]] = {}
    notices: tuple[bytes, ...] = ()
    keyed: Mapping[str, list[Record]] = {}
    sent: Mapping[str, int] = {}
    violations: Mapping[Noted, int] = {}
    faulty: Sequence[tuple[int, Faults]] = ()
    bots: Mapping[tuple[str, bool], int] = {}


class RawBatch(msgspec.Struct, frozen=True):
    """Records of one partition of ``events.raw``.

    Attributes:
        topic: without prefix.
        partition: its number.
        records: in offset order, may be empty.
        first, next: offsets covered, ``[first, next)``.
        clock: for an empty batch the time up to which nothing came, ms; else ignored in favour of record times.
        lost: offsets that retention deleted unread, ``[from, to)``.
    """

    topic: str
    partition: int
    records: Sequence[RawRecord]
    first: int
    next: int
    clock: int
    lost: tuple[int, int] | None = None
