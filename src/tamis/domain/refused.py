"""The quarantine entries of one batch.

Rules: one entry an event refused; the original of a record is kept, sealed, with the first of its events refused in the
batch. Who sent it and on which site is read off the event, or off the bytes where they are no event.
Not handled here: the form of an entry (``domain.quarantine``).
"""

from collections.abc import Collection, Mapping
from typing import Protocol

from tamis.domain.event import Event, Invalid
from tamis.domain.producer import producer_of
from tamis.domain.quarantine import Fault, Headers, Origin, QuarantineSealer
from tamis.domain.raw_producer import RawProducer
from tamis.domain.sites import site_of


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
        sites: host name -> site label.
        producers: further names of SDKs.

    Attributes:
        records: key and value of each entry, in order.
        sites: host name -> site label.
    """

    __slots__ = ("_kept", "_partition", "_producers", "_read", "_sealer", "_topic", "records", "sites")

    def __init__(
        self,
        sealer: QuarantineSealer,
        topic: str,
        partition: int,
        sites: Mapping[str, str] = {},
        producers: Collection[str] = (),
    ) -> None:
        self._sealer = sealer
        self._topic = topic
        self._partition = partition
        self.sites = sites
        self._producers = producers
        self._kept: set[int] = set()
        self._read: tuple[int, RawProducer] | None = None
        self.records: list[tuple[bytes | None, bytes]] = []

    def add(
        self, record: SourceRecord, index: int, stage: str, why: Invalid, received_at: int, origin: Origin | None = None
    ) -> Origin:
        """The event at ``index`` of a record, refused at ``stage``; time in ms.

        Without an ``origin`` it is looked for in the record; gives the one found.
        """
        offset, original = record.offset, record.value or b""
        found = self._of_bytes(offset, index, original) if origin is None else origin
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
            original=original,
            headers=record.headers,
            kept_before=offset in self._kept,
            origin=found,
        )
        self._kept.add(offset)
        self.records.append(entry)
        return found

    def origin(self, event: Event, rule: str = "", faults: tuple[Fault, ...] = ()) -> Origin:
        """Where an event comes from."""
        producer = producer_of(event, self._producers)
        return Origin(producer, site_of(event, self.sites), event.vendor, rule, faults)

    def _of_bytes(self, offset: int, index: int, original: bytes) -> Origin:
        if self._read is None or self._read[0] != offset:  # the events of a record follow one another
            self._read = offset, RawProducer(original)
        return self._read[1].origin(index, self.sites, self._producers)
