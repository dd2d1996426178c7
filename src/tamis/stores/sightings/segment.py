"""A table of sightings of one stretch of time: ids in buckets of eight, in a file that is mapped into memory.

Rules: fixed capacity, never resized; an id lies in the bucket its own bits name, or, when that is full, in one of the
next ones; nothing is ever removed, the whole table goes when its time has passed. Look-ups and insertions take a whole
batch at once (numpy), about a tenth of a microsecond an id. A slot costs ``SLOT_BYTES``. The mapping is shared with the
file, so what was written survives the death of the process, though not that of the host.
Not handled here: which tables there are and what is trusted after a restart (``stores.sightings.partition``).
"""

from pathlib import Path
from typing import Any

import numpy as np

WAYS = 8
SLOT_BYTES = 8 + 8 + 8 + 4
MOST_FILLED = 0.6
_FIRST_COLUMN = 4_096

Words = np.ndarray[Any, np.dtype[np.uint64]]
Minutes = np.ndarray[Any, np.dtype[np.uint32]]


class Segment:
    """One table.

    Args:
        path: its file; made when it is not there.
        buckets: a power of two; must be what the file was made with.

    Attributes:
        count: ids it holds.
        newest: latest minute it holds, 0 when empty.
    """

    __slots__ = ("_fill", "_high", "_low", "_mask", "_minutes", "_said", "buckets", "count", "newest", "path")

    def __init__(self, path: Path, buckets: int) -> None:
        self.path = path
        self.buckets = buckets
        self._mask = np.uint64(buckets - 1)
        if not path.exists():
            with path.open("wb") as file:
                file.truncate(size_of(buckets))
        slots, at = buckets * WAYS, _FIRST_COLUMN
        shape = (buckets, WAYS)
        self._high = _mapped(path, np.uint64, at, shape)
        self._low = _mapped(path, np.uint64, at + 8 * slots, shape)
        self._said = _mapped(path, np.uint64, at + 16 * slots, shape)
        self._minutes = _mapped(path, np.uint32, at + 24 * slots, shape)
        self._fill = np.count_nonzero(self._minutes, axis=1).astype(np.int8)
        self.count = int(self._fill.sum(dtype=np.int64))
        self.newest = int(self._minutes.max()) if self.count else 0

    @property
    def room(self) -> int:
        """How many more ids fit before look-ups become slow."""
        return int(self.buckets * WAYS * MOST_FILLED) - self.count

    def find(self, high: Words, low: Words, oldest: int) -> tuple[Any, Any]:
        """Which ids are here and were seen at ``oldest`` (epoch minute) or later.

        Args:
            high: first word of each id.
            low: second word of each id.
            oldest: first minute of the window.

        Returns:
            Places in the arrays, and the fingerprint of each, as words.
        """
        bucket = (high & self._mask).view(np.int64)
        same = self._high.take(bucket, axis=0) == high[:, None]
        more = self._fill.take(bucket) == WAYS
        found = self._sure(np.arange(len(high)), bucket, same, low, oldest, more) if same.any() else ()
        if not more.any():
            return found or ((), ())
        places, saids = ([found[0]], [found[1]]) if found else ([], [])
        left = more.nonzero()[0]
        bucket = (bucket[left] + 1) % self.buckets
        while len(left):
            more = self._fill.take(bucket) == WAYS
            same = self._high.take(bucket, axis=0) == high[left, None]
            found = self._sure(left, bucket, same, low, oldest, more) if same.any() else ()
            if found:
                places.append(found[0])
                saids.append(found[1])
            left, bucket = left[more], (bucket[more] + 1) % self.buckets
        return (np.concatenate(places), np.concatenate(saids)) if places else ((), ())

    def _sure(self, left: Any, bucket: Any, same: Any, low: Words, oldest: int, more: Any) -> tuple[Any, Any]:
        """Of slots whose first word agrees, those with the id, within the window; they need no further bucket."""
        row, way = np.nonzero(same)
        slot = bucket[row], way
        sure = (self._low[slot] == low[left[row]]) & (self._minutes[slot] >= max(oldest, 1))
        row, slot = row[sure], (slot[0][sure], way[sure])
        more[row] = False
        return left[row], self._said[slot]

    def add(self, high: Words, low: Words, said: Words, minute: int) -> None:
        """Puts ids into the table; the caller sees to ``room``."""
        left, bucket = np.arange(len(high)), (high & self._mask).view(np.int64)
        while len(left):
            order = np.argsort(bucket, kind="stable")
            left, bucket = left[order], bucket[order]
            way = self._fill.take(bucket) + np.arange(len(bucket)) - np.searchsorted(bucket, bucket)
            fits = way < WAYS
            here, slot = left[fits], (bucket[fits], way[fits])
            self._high[slot], self._low[slot], self._said[slot] = high[here], low[here], said[here]
            self._minutes[slot] = minute  # last: a slot without a minute is empty
            self._fill[slot[0]] = (
                slot[1] + 1
            )  # of a bucket that is named twice the last one counts, which is the highest
            left, bucket = left[~fits], (bucket[~fits] + 1) % self.buckets
        self.count += len(high)
        self.newest = max(self.newest, minute)

    def delete(self) -> None:
        """Removes the file; the mapping goes with the last reference."""
        self.path.unlink(missing_ok=True)


def size_of(buckets: int) -> int:
    """Bytes of a table's file."""
    return _FIRST_COLUMN + buckets * WAYS * SLOT_BYTES


def _mapped(path: Path, kind: Any, at: int, shape: tuple[int, int]) -> Any:
    """A column of the file as a plain array over its mapping: indexing a ``memmap`` itself costs twice as much."""
    return np.asarray(np.memmap(path, kind, "r+", at, shape))
