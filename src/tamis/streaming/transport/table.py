"""Faust tables whose writes belong to the batch that made them.

Rules: a write stays in the batch, where reads of the same batch see it. On leaving the batch one changelog record per
key goes into the batch's transaction; only after the commit do the writes reach the local store. So a failed or fenced
transaction leaves no trace, and a crash between commit and store is repaired from the changelog. Keys must be
co-partitioned with the input. Not for windowed tables; iteration does not see the running batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import faust
from faust.types import TP

from tamis.streaming.transport.batch import Batch

if TYPE_CHECKING:
    from tamis.streaming.transport.outbox import Item


class BatchTable(faust.Table):
    """Set as `faust.App(Table=BatchTable)`; used like any Faust table inside a batch."""

    def _written(self) -> dict[Any, Any] | None:
        event = faust.current_event()
        batch = None if event is None else event.value
        return batch.changes.setdefault(self, {}) if isinstance(batch, Batch) else None

    def __getitem__(self, key: Any) -> Any:
        written = self._written()
        if written is None or key not in written:
            return self.data[key]
        if written[key] is None:
            raise KeyError(key)
        return written[key]

    def get(self, key: Any, default: Any = None) -> Any:
        """The value of a key, or `default`."""
        try:
            return self[key]
        except KeyError:
            return default

    def __contains__(self, key: Any) -> bool:
        return self.get(key) is not None

    def __setitem__(self, key: Any, value: Any) -> None:
        self._in_batch()[key] = value

    def __delitem__(self, key: Any) -> None:
        self._in_batch()[key] = None

    def _in_batch(self) -> dict[Any, Any]:
        written = self._written()
        if written is None:
            raise RuntimeError(f"table {self.name} can only be written inside a batch")
        return written

    def changelog_item(self, key: Any, value: Any) -> Item:
        """The changelog record of a write; None as value deletes the key."""
        serializers = self.app.serializers
        encoded = serializers.dumps_key(self.key_type, key, serializer=self.key_serializer)
        if value is None:
            return encoded, None
        return encoded, serializers.dumps_value(self.value_type, value, serializer=self.value_serializer)

    def apply_committed(self, written: dict[Any, Any], partition: int, offset: int | None) -> None:
        """Bring committed writes into the local store.

        Args:
            written: key to value, None for a deletion.
            partition: the changelog partition they were logged to.
            offset: offset of the last of them.
        """
        store = self.data
        origin = getattr(store, "_key_partition", None)  # the memory store forgets a lost partition's keys by this
        for key, value in written.items():
            if value is None:
                store.pop(key, None)
            else:
                store[key] = value
                if origin is not None:
                    origin[key] = partition
        if offset is not None:
            store.set_persisted_offset(TP(self.changelog_topic_name, partition), offset)


def log_changes(batch: Batch) -> None:
    """Add the batch's table writes to its outputs."""
    for table, written in batch.changes.items():
        items = [table.changelog_item(key, value) for key, value in written.items()]
        batch.send(table.changelog_topic_name, items)


def apply_changes(batch: Batch) -> None:
    """After the commit: bring the batch's table writes into the local stores."""
    for table, written in batch.changes.items():
        if written:
            offset = batch.outbox.last_offset(table.changelog_topic_name, batch.partition)
            table.apply_committed(written, batch.partition, offset)
