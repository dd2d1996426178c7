"""Merges the partial counts of one metrics partition into exact one-minute windows.

Rules: a minute closes when every partition of every watched topic has promised to send nothing earlier; a closed minute
stays closed, so sums over windows equal sums over partials; windows of a minute come sorted by series and are followed
by its ``MinuteClosed``; a minute without events closes too (``n`` = 0). A run of more than ``CATCH_UP_MINUTES`` empty
minutes means that nobody was there to look (all workers were down): only its last ``CATCH_UP_MINUTES`` are closed one
by one, the earlier ones are passed over in silence. A source seen for the first time after minutes were closed
(partitions were added) has its early cells counted in the first open minute: the sums stay exact. So are the cells of a
batch that comes again, where batches may be repeated; elsewhere a known source's late cell is a fault.
Not handled here: storage (``drain`` gives the table changes, ``restore`` takes them back), repeats of a partial (none
with exactly-once delivery), detection of a source that stands still (``lag_ms`` feeds the metric).
"""

from collections.abc import Iterable

import msgspec

from tamis.metrics.counts import Counts, decode_counts
from tamis.records.metrics import Closing, MinuteClosed, Partial, Window, arrivals

MINUTE_MS = 60_000
CATCH_UP_MINUTES = 1_440
_SEPARATOR = "\x00"


class LateCellError(RuntimeError):
    """A source broke its own watermark: its count would change a closed minute."""


class SourceMark(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is known of one source: ``[watermark ms, partitions of its topic]``."""

    watermark: int
    sources: int


_mark_decoder = msgspec.json.Decoder(SourceMark)
_encode = msgspec.json.Encoder().encode


class WindowState:
    """Open cells and watermarks of one metrics partition.

    Args:
        topics: whose partitions must all have passed a minute; partial sums of other topics are a fault.
        repeats: batches may be repeated (at least once).
    """

    __slots__ = ("_changed", "_closed", "_marks", "_open", "_repeats", "_topics")

    def __init__(self, topics: tuple[str, ...] = ("events.raw",), *, repeats: bool = False) -> None:
        self._topics = topics
        self._repeats = repeats
        self._marks: dict[str, SourceMark] = {}
        self._open: dict[int, dict[str, Counts]] = {}
        self._closed: int | None = None
        self._changed: set[str] = set()

    @property
    def closed(self) -> int | None:
        """Last closed minute, None before the first."""
        return self._closed

    def apply(self, partial: Partial) -> None:
        """Add one partial sum and its watermark.

        Raises:
            LateCellError: a cell belongs to a closed minute although its source was known and nothing is repeated.
            ValueError: the partial names a topic that is not watched.
        """
        topic, _, _ = partial.source.rpartition("/")
        if topic not in self._topics:
            raise ValueError(f"partial of an unwatched source {partial.source}")
        known = self._marks.get(partial.source)
        for cell in partial.cells:
            self._counts(cell.series, cell.minute, partial.source).add((cell,))
        for seen in partial.subjects:
            counts = self._counts(seen.series, seen.minute, partial.source)
            counts.subjects.merge(seen.sketch)
            counts.accepted.merge(seen.accepted)
        watermark = partial.watermark if known is None else max(known.watermark, partial.watermark)
        self._marks[partial.source] = SourceMark(watermark, partial.sources)
        self._changed.add(f"w{_SEPARATOR}{partial.source}")

    def close(self) -> list[Closing]:
        """All windows and minute ends that have become final, in order."""
        bound = self._passed()
        if bound is None:
            return []
        found: list[Closing] = []
        for minute in self._due(bound):
            self._close_minute(minute, found)
        if self._closed is None or self._closed < bound - 1:
            self._closed = bound - 1
            self._changed.add("m")
        return found

    def lag_ms(self, now_ms: int) -> dict[str, int]:
        """Milliseconds by which each known source's watermark is behind ``now_ms`` (at least 0)."""
        return {source: max(0, now_ms - mark.watermark) for source, mark in self._marks.items()}

    def drain(self) -> dict[str, bytes | None]:
        """Table changes since the last call: key -> value, None = delete."""
        changes = {key: self._stored(key) for key in sorted(self._changed)}
        self._changed.clear()
        return changes

    def restore(self, stored: Iterable[tuple[str, bytes]]) -> None:
        """Rebuild from all pairs that earlier ``drain`` calls left in the table."""
        for key, value in stored:
            kind, _, rest = key.partition(_SEPARATOR)
            if kind == "m":
                self._closed = int(value)
            elif kind == "w":
                self._marks[rest] = _mark_decoder.decode(value)
            elif kind == "c":
                series, _, minute = rest.rpartition(_SEPARATOR)
                self._open.setdefault(int(minute), {})[series] = decode_counts(value)

    def _counts(self, series: str, minute: int, source: str) -> Counts:
        """Where counts of this minute go that ``source`` sent."""
        if self._closed is not None and minute <= self._closed:
            if source in self._marks and not self._repeats:
                raise LateCellError(f"{source}: a cell of minute {minute}, but {self._closed} is closed")
            minute = self._closed + 1
        by_series = self._open.setdefault(minute, {})
        counts = by_series.get(series)
        if counts is None:
            counts = by_series[series] = Counts()
        self._changed.add(f"c{_SEPARATOR}{series}{_SEPARATOR}{minute}")
        return counts

    def _passed(self) -> int | None:
        """First minute that may still get counts; None while a source has not been heard of."""
        lowest: int | None = None
        for topic in self._topics:
            marks = [mark for source, mark in self._marks.items() if source.rpartition("/")[0] == topic]
            if not marks or len(marks) < max(mark.sources for mark in marks):
                return None
            first = min(mark.watermark for mark in marks)
            lowest = first if lowest is None else min(lowest, first)
        return None if lowest is None else lowest // MINUTE_MS

    def _due(self, bound: int) -> list[int]:
        """Minutes to close below ``bound``: all that have counts, and the empty ones within the catch-up limit."""
        held = sorted(minute for minute in self._open if minute < bound)
        start = self._closed + 1 if self._closed is not None else (held[0] if held else bound)
        due: list[int] = []
        for end in [*held, bound]:
            due.extend(range(max(start, end - CATCH_UP_MINUTES), end))
            if end < bound:
                due.append(end)
            start = end + 1
        return due

    def _close_minute(self, minute: int, found: list[Closing]) -> None:
        windows = self._open.pop(minute, {})
        total = 0
        for series in sorted(windows):
            counts = windows[series]
            cells, sketch, accepted = counts.cells(), counts.subjects.encode(), counts.accepted.encode()
            found.append(Window(series=series, minute=minute, cells=cells, subjects=sketch, accepted=accepted))
            total += arrivals(cells)
            self._changed.add(f"c{_SEPARATOR}{series}{_SEPARATOR}{minute}")
        found.append(MinuteClosed(minute=minute, n=total, series=len(windows)))

    def _stored(self, key: str) -> bytes | None:
        kind, _, rest = key.partition(_SEPARATOR)
        if kind == "m":
            return b"%d" % self._closed if self._closed is not None else None
        if kind == "w":
            return _encode(self._marks[rest])
        series, _, minute = rest.rpartition(_SEPARATOR)
        counts = self._open.get(int(minute), {}).get(series)
        return None if counts is None else counts.encode()
