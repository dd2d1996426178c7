"""Rolls closed minutes up to spans of 5 minutes, an hour and a day, in UTC.

Rules: a span is written once, when its last minute is closed; what a longer span holds is the sum of the shorter ones
in it, so sums over any length equal the sums over windows; sketches of subjects are merged, so a subject counts once a
span. A span without events is not written. Each length reads only what the one before has closed, so that a series
changes one row a minute.
Not handled here: closing minutes (``metrics.windows``), storage (``drain`` and ``restore`` as there).
"""

from collections.abc import Iterable

from tamis.metrics.counts import Counts, decode_counts
from tamis.records.metrics import Closing, RollUp, Window

SPANS = (5, 60, 1_440)
"""Minutes, each dividing the next."""
_KIND, _SEPARATOR = "r", "\x00"
_Spans = dict[int, dict[str, Counts]]


class RollUps:
    """Open spans of one metrics partition."""

    __slots__ = ("_changed", "_open")

    def __init__(self) -> None:
        self._open: dict[int, _Spans] = {span: {} for span in SPANS}
        self._changed: set[tuple[int, int, str]] = set()

    def take(self, closed: Iterable[Closing], last: int | None) -> list[RollUp]:
        """Takes closed windows in; all spans that are over with the minute ``last``, shorter ones first.

        Args:
            closed: in the order in which they were closed.
            last: the last closed minute, None before the first.
        """
        for each in closed:
            if isinstance(each, Window):
                self._counts(SPANS[0], each.minute, each.series).add(each.cells)
                self._counts(SPANS[0], each.minute, each.series).subjects.merge(each.subjects)
        return [] if last is None else [rolled for span in SPANS for rolled in self._close(span, last)]

    def drain(self) -> dict[str, bytes | None]:
        """Table changes since the last call: key -> value, None = delete."""
        changes: dict[str, bytes | None] = {}
        for span, start, series in sorted(self._changed):
            counts = self._open[span].get(start, {}).get(series)
            key = _SEPARATOR.join((_KIND, series, str(span), str(start)))
            changes[key] = None if counts is None else counts.encode()
        self._changed.clear()
        return changes

    def restore(self, stored: Iterable[tuple[str, bytes]]) -> None:
        """Rebuild from all pairs that earlier ``drain`` calls left in the table; rows of others are passed over."""
        for key, value in stored:
            kind, *rest = key.split(_SEPARATOR)
            if kind == _KIND:
                series, span, start = rest
                self._open[int(span)].setdefault(int(start), {})[series] = decode_counts(value)

    def _counts(self, span: int, minute: int, series: str) -> Counts:
        start = minute - minute % span
        self._changed.add((span, start, series))
        return self._open[span].setdefault(start, {}).setdefault(series, Counts())

    def _close(self, span: int, last: int) -> list[RollUp]:
        found = []
        longer = next((each for each in SPANS if each > span), None)
        for start in sorted(start for start in self._open[span] if start + span - 1 <= last):
            for series, counts in sorted(self._open[span].pop(start).items()):
                cells, sketch = counts.cells(), counts.subjects.encode()
                found.append(RollUp(series=series, minutes=span, start=start, cells=cells, subjects=sketch))
                self._changed.add((span, start, series))
                if longer is not None:
                    above = self._counts(longer, start, series)
                    above.add(cells)
                    above.subjects.merge(sketch)
        return found
