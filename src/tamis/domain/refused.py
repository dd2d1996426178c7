"""The quarantine entries of one batch.

Rules: one entry an event refused; the original of a record is kept, sealed, with the first of its events refused in the
batch. Not handled here: the form of an entry (``domain.quarantine``).
"""

from tamis.domain.event import Invalid
from tamis.domain.quarantine import QuarantineSealer


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

    def add(self, offset: int, index: int, original: bytes, stage: str, why: Invalid, received_at: int) -> None:
        """One event, refused at ``stage``; ``original`` is the value of its record, time in ms."""
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
            kept_before=offset in self._kept,
        )
        self._kept.add(offset)
        self.records.append(entry)
