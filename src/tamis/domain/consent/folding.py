"""A batch of ``consent.changes`` in, subject records and the heartbeat of its partition of ``consent.state`` out.

Rules: a record is written only when it changed; what destinations must be told of a change comes out beside it, made
with the salt as it was. The erasure of a person is passed on to the devices it is linked with, also to one whose link
arrives after the erasure though it is older; each gives a receipt. The heartbeat is written last, so in the log it lies
behind every change it speaks for; there is none until every upstream partition has been heard of, and the last one is
read back from the table after a take-over. Randomness (salts) comes in. A value that cannot be decoded is a fault: only
tamis writes here.
Not handled here: what becomes of first sights (``first_sight``).
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from tamis.domain.audit.requests import ErasureReceipt
from tamis.domain.consent.first_sight import FirstSights, SightTable
from tamis.domain.consent.fold import fold
from tamis.domain.consent.model import (
    ChangesHeartbeat,
    Erasure,
    FirstSight,
    Restriction,
    StateHeartbeat,
    SubjectRecord,
    heartbeat_key,
)
from tamis.domain.consent.privacy import erase, restrict
from tamis.domain.consent.retraction import Change, Retractor
from tamis.domain.consent.spread import receipts, spread
from tamis.domain.subject import salt_of

HEARTBEAT_MS = 1_000

_decode_change = msgspec.json.Decoder(Change | FirstSight | ChangesHeartbeat).decode
_decode_record = msgspec.json.Decoder(SubjectRecord).decode
_decode_beat = msgspec.json.Decoder(StateHeartbeat).decode
_encode = msgspec.json.Encoder().encode

Record = tuple[bytes, bytes]


class ChangeRecord(Protocol):
    """A record of ``consent.changes``."""

    key: bytes | None
    value: bytes | None


StateTable = SightTable
"""The table whose changelog is ``consent.state``: encoded records by key."""


class Folded(msgspec.Struct):
    """What one batch gives besides the writes to the table.

    Attributes:
        changed: how many subject records changed.
        retractions: key and value of records for ``crm.retractions``.
        told: how many of them, by reason.
        changes: key and value of records for ``consent.changes``: what other subjects must be told.
        receipts: of erasures.
    """

    changed: int = 0
    retractions: list[Record] = []
    told: Counter[str] = msgspec.field(default_factory=Counter)
    changes: list[Record] = []
    receipts: list[ErasureReceipt] = []


class FoldState(msgspec.Struct):
    """What is remembered of one partition while it is owned.

    Attributes:
        clocks: raw consent partition -> time up to which all its changes are here, ms.
        of: how many raw partitions there are, 0 while unknown.
        told: the oldest clock of the last heartbeat written, -1 before the first.
        restored: the table was asked for the heartbeat of the owner before.
        sights: records made at first sight; None before the first batch.
    """

    clocks: dict[int, int] = msgspec.field(default_factory=dict)
    of: int = 0
    told: int = -1
    restored: bool = False
    sights: FirstSights | None = None


class Folder:
    """Folds the batches of ``consent.changes``.

    Args:
        partitions: how many partitions ``consent.changes`` and ``consent.state`` have.
        fresh_salt: gives ``fold.SALT_BYTES`` random bytes.
        retractor: makes retractions.
        partition_of: (key, partitions) -> partition; None when a table holds one partition only.
    """

    def __init__(
        self,
        partitions: int,
        fresh_salt: Callable[[], bytes],
        retractor: Retractor,
        partition_of: Callable[[bytes, int], int] | None = None,
    ) -> None:
        self._partitions = partitions
        self._fresh_salt = fresh_salt
        self._retractor = retractor
        self._partition_of = partition_of

    def use(self, retractor: Retractor) -> None:
        """Goes on with the destinations of another bundle; to be called between batches."""
        self._retractor = retractor

    def batch(self, partition: int, records: Sequence[ChangeRecord], table: StateTable, state: FoldState) -> Folded:
        """Folds one batch and moves ``state``, which must be discarded if writing fails.

        Args:
            partition: its number.
            records: in offset order, may be empty.
            table: reads see what this batch wrote.
            state: of this partition.

        Raises:
            msgspec.DecodeError: a value is not one that tamis writes.
        """
        self._restore(partition, table, state)
        sights = state.sights = state.sights or self._sights(partition, table)
        out = Folded()
        for record in records:
            if record.value is None:
                continue
            item = _decode_change(record.value)
            if isinstance(item, ChangesHeartbeat):
                state.clocks[item.partition] = max(state.clocks.get(item.partition, 0), item.clock)
                state.of = max(state.of, item.of)
            elif isinstance(item, FirstSight):
                out.changed += sights.see(item, table, self._fresh_salt)
            else:
                self._change(item, table, out)
        self._heartbeat(partition, table, state)
        out.changed += sights.sweep(table, state.told)
        return out

    def _sights(self, partition: int, table: StateTable) -> FirstSights:
        place = self._partition_of
        return FirstSights(lambda key: place is None or place(key, self._partitions) == partition, table.items())

    def _change(self, change: Change, table: StateTable, out: Folded) -> None:
        key = change.subject.encode()
        stored = table.get(key)
        before = None if stored is None else _decode_record(stored)
        after = self._after(before, change)
        if after is not before:
            self._tell(before, after, change, out)
            out.changed += 1
            table[key] = _encode(after)
        if isinstance(change, Erasure):
            out.receipts += receipts(before, after, change)
        out.changes += spread(before, after, change)

    def _tell(self, before: SubjectRecord | None, after: SubjectRecord, change: Change, out: Folded) -> None:
        taken = self._retractor.taken(before, after, change)
        if taken is not None:
            told = list(self._retractor.records(taken, change.subject, salt_of(before)))
            out.retractions += told
            out.told[taken.reason.value] += len(told)

    def _after(self, before: SubjectRecord | None, change: Change) -> SubjectRecord:
        if isinstance(change, Erasure):
            return erase(before, change)
        salt = self._fresh_salt() if before is None else b""
        return restrict(before, change, salt) if isinstance(change, Restriction) else fold(before, change, salt)

    @staticmethod
    def _restore(partition: int, table: StateTable, state: FoldState) -> None:
        if state.restored:
            return
        state.restored = True
        stored = table.get(heartbeat_key(partition))
        if stored is not None:
            beat = _decode_beat(stored)
            state.of = beat.of
            state.clocks = {int(number): clock for number, clock in beat.clocks.items()}

    def _heartbeat(self, partition: int, table: StateTable, state: FoldState) -> None:
        if not state.of or any(number not in state.clocks for number in range(state.of)):
            return
        oldest = min(state.clocks[number] for number in range(state.of))
        if state.told >= 0 and oldest - state.told < HEARTBEAT_MS:
            return
        state.told = oldest
        beat = StateHeartbeat(
            clocks={str(number): state.clocks[number] for number in range(state.of)},
            of=state.of,
            partition=partition,
            partitions=self._partitions,
        )
        table[heartbeat_key(partition)] = _encode(beat)
