"""A batch of ``consent.raw`` in, the records for ``consent.changes`` and ``events.quarantine`` out.

Rules: pure; every payload ends as changes, as an ignored statement (counted by cause) or in quarantine, never as an
exception. After its changes each batch tells every partition of ``consent.changes`` how far this raw partition is: at
once when the partition is new here, with each empty batch that moves the clock, else at most once an interval. So a
heartbeat lies behind all changes it speaks for, in every partition.
Not handled here: transactions (``streaming``), merging (``domain.consent.fold``).
"""

from collections import Counter
from collections.abc import Callable, Sequence

import msgspec

from tamis.consent_sources.keying import Keying
from tamis.consent_sources.registry import ConsentReader
from tamis.domain.consent.model import HEARTBEAT_KEY, ChangesHeartbeat
from tamis.domain.event import Invalid
from tamis.domain.quarantine import QuarantineSealer
from tamis.ports import RawRecord

HEARTBEAT_MS = 1_000
STAGE = "consent"

Record = tuple[bytes, bytes]

_encode = msgspec.json.Encoder().encode


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
        counts: "changes", "ignored/<cause>", "invalid/<reason>" -> how many.
    """

    changes: dict[int, list[Record]]
    quarantine: list[Record]
    counts: Counter[str]


class Normaliser:
    """Normalises batches under one policy.

    Args:
        reader: payload -> statements.
        keying: statement -> changes.
        sealer: makes quarantine records.
        topic: name of the raw topic, without prefix.
        raw_partitions: how many partitions it has.
        partitions: how many ``consent.changes`` has.
        partition_of: (key, partitions) -> partition, as Kafka's default partitioner computes it.
    """

    def __init__(
        self,
        reader: ConsentReader,
        keying: Keying,
        sealer: QuarantineSealer,
        *,
        topic: str,
        raw_partitions: int,
        partitions: int,
        partition_of: Callable[[bytes, int], int],
    ) -> None:
        self._read = reader.read
        self._changes = keying.changes
        self._sealer = sealer
        self._topic = topic
        self._raw_partitions = raw_partitions
        self._partitions = partitions
        self._partition_of = partition_of

    def use(self, keying: Keying) -> None:
        """Goes on under another policy; to be called between batches."""
        self._changes = keying.changes

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
            ignored: Counter[str] = Counter()
            for change in self._changes(entry, received_at, ignored):
                key = change.subject.encode()
                out.changes.setdefault(self._partition_of(key, self._partitions), []).append((key, _encode(change)))
                out.counts["changes"] += 1
            for cause, count in ignored.items():
                out.counts[f"ignored/{cause}"] += count

    def _refused(
        self, partition: int, record: RawRecord, received_at: int, index: int, why: Invalid, *, kept_before: bool
    ) -> Record:
        return self._sealer.entry(
            stage=STAGE,
            reason=why.reason,
            path=why.path,
            message=f"{why.reason} at {why.path}",
            topic=self._topic,
            partition=partition,
            offset=record.offset,
            index=index,
            received_at=received_at,
            original=record.value or b"",
            headers=record.headers,
            kept_before=kept_before,
        )

    def _heartbeat(self, partition: int, state: NormaliserState, out: Normalised, *, idle: bool) -> None:
        due = state.clock > state.told if idle else state.clock - state.told >= HEARTBEAT_MS
        if not due:
            return
        state.told = state.clock
        beat = _encode(ChangesHeartbeat(partition=partition, of=self._raw_partitions, clock=state.clock))
        for number in range(self._partitions):
            out.changes.setdefault(number, []).append((HEARTBEAT_KEY, beat))
