"""The quarantine entries of one batch.

Rules: one entry an event refused; the original of a record is kept, sealed, with the first of its events refused in the
batch. Not handled here: the form of an entry (``domain.quarantine``).
"""

from typing import Protocol

from tamis.domain.event import Invalid
from tamis.domain.quarantine import Headers, QuarantineSealer


class SourceRecord(Protocol):
    """As much of an input record as is kept."""

    @property
    def offset(self) -> int:
        """Position in the partition."""

    @property
    def value(self) -> bytes | None:
        """Record value."""

    @property
    def headers(self) -> Headers:
        """Record headers."""


class RefusedEvents:
    """Collects them.

    Args:
        sealer: makes entries.
        topic: input topic without prefix.
        partition: input partition.

    Attributes:
        records: key and value of each entry, in order.
    """

    __slots__ = ("_kept", "_partition", "_sealer", "_topic", "records")

    def __init__(self, sealer: QuarantineSealer, topic: str, partition: int) -> None:
        self._sealer = sealer
        self._topic = topic
        self._partition = partition
        self._kept: set[int] = set()
        self.records: list[tuple[bytes | None, bytes]] = []

    def add(self, record: SourceRecord, index: int, stage: str, why: Invalid, received_at: int) -> None:
        """The event at ``index`` of a record, refused at ``stage``; time in ms."""
        offset = record.offset
        entry = self._sealer.entry(
            stage=stage,
            reason=why.reason,
            path=why.path,
            message=f"{why.reason} at {why.path}",
            topic=self._topic,
            partition=self._partition,
            offset=offset,
            index=index,
            received_at=received_at,
            original=record.value or b"",
            headers=record.headers,
            kept_before=offset in self._kept,
        )
        self._kept.add(offset)
        self.records.append(entry)
