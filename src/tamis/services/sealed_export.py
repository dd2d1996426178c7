"""Adds sealed logs to an export made from Kafka: tiles of what is under a published checkpoint, and the control log.

Rules: the folder gets the layout of the sealer's own; a log whose beginning is not in the topic any more, or that was
never sealed, is left out (the sealer's folder has it); of several checkpoints the largest that the records reach is
taken. Nothing is signed or checked here: that is for whoever verifies.
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from tamis.domain.audit.checkpoint import parse_checkpoint
from tamis.domain.audit.leaf import decode_head
from tamis.domain.audit.merkle import leaf_hashes
from tamis.domain.audit.note import NoteError, parse_note
from tamis.domain.audit.notices import begins_epoch
from tamis.domain.audit.origin import parse_origin
from tamis.kafka.reader import TopicRecord
from tamis.stores.audit_export import ExportedLog
from tamis.stores.tile_folder import TileWriter

_KEPT = 5_000
Notes = dict[str, dict[int, bytes]]
"""Origin -> size -> signed checkpoint."""


def checkpoints_of(records: Iterable[TopicRecord]) -> Notes:
    """The latest checkpoints of each log in ``audit.checkpoints``; what is none is passed over."""
    found: Notes = {}
    for record in records:
        try:
            checkpoint = parse_checkpoint(parse_note(record.value or b"").text)
        except NoteError:
            continue
        notes = found.setdefault(checkpoint.origin, {})
        notes.pop(checkpoint.size, None)
        notes[checkpoint.size] = record.value or b""
        if len(notes) > _KEPT:
            del notes[next(iter(notes))]
    return found


class _Log:
    """One log on its way into a folder: batches are held back until a checkpoint covers them."""

    def __init__(self, folder: Path, origin: str, notes: dict[int, bytes]) -> None:
        self._notes = notes
        self._writer = TileWriter(folder / parse_origin(origin).folder, sync=False)
        self._most = max(notes, default=0)
        self._held: list[tuple[list[bytes], bytes]] = []

    def batch(self, leaves: list[bytes], head: bytes, size: int) -> None:
        """A batch and its head; ``size`` after it."""
        if size > self._most:
            return
        self._held.append((leaves, head))
        if size not in self._notes:
            return
        for each, value in self._held:
            self._writer.append(each, leaf_hashes(each))
            self._writer.head(self._writer.size, value)
        self._held = []

    def close(self) -> int:
        """Write what is open and the checkpoint; the sealed size, 0 for none."""
        size = self._writer.size
        if size:
            self._writer.flush()
            self._writer.checkpoint(self._notes[size])
        return size


def add_sealed(folder: Path, log: ExportedLog, notes: Notes) -> dict[str, int]:
    """Write the sealed part of one exported partition.

    Args:
        folder: of the export.
        log: its records.
        notes: checkpoints.

    Returns:
        Origin -> sealed size.
    """
    found: dict[str, _Log | None] = {}
    leaves: list[bytes] = []
    for is_head, value in log:
        if not is_head:
            if begins_epoch(value):
                leaves = []
            leaves.append(value)
            continue
        try:
            head = decode_head(value)
        except (msgspec.DecodeError, ValueError):
            leaves = []
            continue
        if head.log not in found:
            whole = head.log in notes and head.start == 0 and head.n == len(leaves)
            found[head.log] = _Log(folder, head.log, notes[head.log]) if whole else None
        made = found[head.log]
        if made is not None and head.n - head.start == len(leaves):
            made.batch(leaves, value, head.n)
        leaves = []
    closed = {origin: made.close() for origin, made in found.items() if made is not None}
    return {origin: size for origin, size in closed.items() if size}


def add_control(folder: Path, origin: str, leaves: list[bytes], notes: Notes) -> int:
    """Write the control log; the sealed size, 0 when it was never sealed."""
    sizes = [size for size in notes.get(origin, {}) if size <= len(leaves)]
    size = max(sizes, default=0)
    if size:
        writer = TileWriter(folder / parse_origin(origin).folder, sync=False)
        writer.append(leaves[:size], leaf_hashes(leaves[:size]))
        writer.flush()
        writer.checkpoint(notes[origin][size])
    return size
