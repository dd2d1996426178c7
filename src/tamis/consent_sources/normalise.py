"""A batch of ``consent.raw`` or ``privacy.requests`` in, records for ``consent.changes`` and ``events.quarantine`` out.

Rules: pure; every payload ends as changes, as an ignored one (counted by cause) or in quarantine, never as an
exception. After its changes each batch tells every partition of ``consent.changes`` how far this raw partition is: at
once when the partition is new here, with each empty batch that moves the clock, else at most once an interval. So a
heartbeat lies behind all changes it speaks for, in every partition.
Not handled here: transactions (``streaming``), merging (``domain.consent.fold``).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import msgspec

from tamis.domain.consent.model import HEARTBEAT_KEY, ChangesHeartbeat
from tamis.domain.event import Invalid
from tamis.domain.quarantine import QuarantineSealer
from tamis.ports import RawRecord

HEARTBEAT_MS = 1_000

Record = tuple[bytes, bytes]

_encode = msgspec.json.Encoder().encode


class Reader(Protocol):
    """Reads payloads: ``registry.ConsentReader``, ``privacy.RequestReader``."""

    def read(self, value: bytes | None) -> Sequence[Any] | Invalid:
        """What a payload states, each part readable or ``Invalid``."""


class Keyed(Protocol):
    """A change; any of ``domain.consent.retraction.Change``."""

    @property
    def subject(self) -> str:
        """Subject key."""


class Changes(Protocol):
    """Makes changes of what was read: ``keying.Keying``, ``privacy.RequestKeying``."""

    def changes(self, said: Any, recorded_at: int, noted: Counter[str], /) -> Iterable[Keyed]:
        """The changes, received at ``recorded_at`` (ms); what else is to be counted goes into ``noted``."""


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """One of the topics that lead into ``consent.changes``.

    Attributes:
        topic: its name, without prefix.
        stage: of its quarantine entries.
        noted: under what ``Changes.changes`` counts appear.
        first: number of its partition 0 among the partitions of all such topics.
        of: how many partitions all of them have; 0: this topic tells nobody how far it is.
    """

    topic: str
    stage: str = "consent"
    noted: str = "ignored"
    first: int = 0
    of: int


class NormaliserState(msgspec.Struct):
    """What is remembered of one raw partition while it is owned.

    Attributes:
        clock: highest time passed, ms.
        told: clock of the last heartbeat, -1 before the first.
    """

    clock: int = 0
    told: int = -1


class Normalised(msgspec.Struct, frozen=True):
    """What one batch gives.

    Attributes:
        changes: partition of ``consent.changes`` -> records in order.
        quarantine: records for the partition of the source's number.
        counts: "changes", "<noted>/<what>", "invalid/<reason>" -> how many.
    """

    changes: dict[int, list[Record]]
    quarantine: list[Record]
    counts: Counter[str]


class Normaliser:
    """Normalises batches under one policy; under another one goes another normaliser, with the same state.

    Args:
        reader: payload -> statements.
        keying: statement -> changes.
        sealer: makes quarantine records.
        door: what is read.
        partitions: how many ``consent.changes`` has.
        partition_of: (key, partitions) -> partition, as Kafka's default partitioner computes it.
    """

    def __init__(
        self,
        reader: Reader,
        keying: Changes,
        sealer: QuarantineSealer,
        *,
        door: Door,
        partitions: int,
        partition_of: Callable[[bytes, int], int],
    ) -> None:
        self._read = reader.read
        self._changes = keying.changes
        self._sealer = sealer
        self._door = door
        self._partitions = partitions
        self._partition_of = partition_of

    def batch(self, partition: int, records: Sequence[RawRecord], clock: int, state: NormaliserState) -> Normalised:
        """Normalises one batch and moves ``state``, which must be discarded if writing fails.

        Args:
            partition: raw partition.
            records: in offset order, may be empty.
            clock: time up to which everything was seen (ms), used for an empty batch.
            state: of this partition.
        """
        out = Normalised({}, [], Counter())
        for record in records:
            state.clock = max(state.clock, record.timestamp)
            self._record(partition, record, state.clock, out)
        if not records:
            state.clock = max(state.clock, clock)
        self._heartbeat(partition, state, out, idle=not records)
        return out

    def _record(self, partition: int, record: RawRecord, received_at: int, out: Normalised) -> None:
        found = self._read(record.value)
        refused = len(out.quarantine)
        for index, entry in enumerate([found] if isinstance(found, Invalid) else found):
            if isinstance(entry, Invalid):
                out.counts[f"invalid/{entry.reason}"] += 1
                kept = len(out.quarantine) > refused
                out.quarantine.append(self._refused(partition, record, received_at, index, entry, kept_before=kept))
                continue
            noted: Counter[str] = Counter()
            for change in self._changes(entry, received_at, noted):
                key = change.subject.encode()
                out.changes.setdefault(self._partition_of(key, self._partitions), []).append((key, _encode(change)))
                out.counts["changes"] += 1
            for what, count in noted.items():
                out.counts[f"{self._door.noted}/{what}"] += count

    def _refused(
        self, partition: int, record: RawRecord, received_at: int, index: int, why: Invalid, *, kept_before: bool
    ) -> Record:
        return self._sealer.entry(
            stage=self._door.stage,
            reason=why.reason,
            path=why.path,
            message=f"{why.reason} at {why.path}",
            topic=self._door.topic,
            partition=partition,
            offset=record.offset,
            index=index,
            received_at=received_at,
            original=record.value or b"",
            headers=record.headers,
            kept_before=kept_before,
        )

    def _heartbeat(self, partition: int, state: NormaliserState, out: Normalised, *, idle: bool) -> None:
        if not self._door.of:
            return
        due = state.clock > state.told if idle else state.clock - state.told >= HEARTBEAT_MS
        if not due:
            return
        state.told = state.clock
        beat = _encode(ChangesHeartbeat(partition=self._door.first + partition, of=self._door.of, clock=state.clock))
        for number in range(self._partitions):
            out.changes.setdefault(number, []).append((HEARTBEAT_KEY, beat))
