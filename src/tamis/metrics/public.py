"""Counts that may be published (``metrics.public``): no record counts fewer than ``k`` people (k-anonymity).

Rules: accepted events only, those among them that were held first at the time of their release. A minute of a series in
which at least ``k`` people take part is published as it is. One with fewer joins what is left of its 5 minutes; when
these are over and what was left in them has ``k`` people, that is published, else it joins what is left of the hour,
then of the day, then of the site, then of everything; what is still too small is never published. So published records
are disjoint: every event is in one record at most, sums over records are lower bounds of the true sums, and no
difference between records says anything about an event that was held back (complementary disclosure; Willenborg, de
Waal: "Elements of Statistical Disclosure Control", 2001). People are counted as occupied registers of the sketch, which
is never more than there are.
Not handled here: storage (``drain`` and ``restore`` as in ``rollups``), what somebody knows from elsewhere.
"""

from collections.abc import Iterable

import msgspec

from tamis.domain.counts.sketch import Sketch, estimate
from tamis.domain.outcome import SENT
from tamis.metrics.rollups import SPANS
from tamis.records.metrics import Closing, PublicCount, Window

REST = "*"
_KIND, _SEPARATOR = "p", "\x00"


class Held(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is held back of one series and span: ``[n, value, sketch]``."""

    n: int
    value: float
    sketch: bytes

    def joined(self, other: "Held") -> "Held":
        """Both together."""
        sketch = Sketch()
        sketch.merge(self.sketch)
        sketch.merge(other.sketch)
        return Held(self.n + other.n, self.value + other.value, sketch.encode())

    def people(self) -> int:
        """How many people took part, at least."""
        sketch = Sketch()
        sketch.merge(self.sketch)
        return len(sketch.ranks)


_decode = msgspec.json.Decoder(Held).decode
_encode = msgspec.json.Encoder().encode
_Place = tuple[int, int, str]
"""Span in minutes, its first minute, series."""


class PublicCounts:
    """Held back counts of one metrics partition.

    Args:
        k: fewest people of a published record.
    """

    __slots__ = ("_changed", "_held", "_k")

    def __init__(self, k: int) -> None:
        self._k = k
        self._held: dict[_Place, Held] = {}
        self._changed: set[_Place] = set()

    def take(self, closed: Iterable[Closing], last: int | None) -> list[PublicCount]:
        """Takes closed minutes in; what can be published with the end of the minute ``last``.

        Args:
            closed: in the order in which they were closed.
            last: the last closed minute, None before the first.
        """
        records: list[PublicCount] = []
        for each in closed:
            if isinstance(each, Window):
                self._put(records, 1, each.minute, each.series, _accepted(each))
        if last is not None:
            for span in SPANS:
                self._close(records, span, last)
        return records

    def drain(self) -> dict[str, bytes | None]:
        """Table changes since the last call: key -> value, None = delete."""
        changes: dict[str, bytes | None] = {}
        for place in sorted(self._changed):
            span, start, series = place
            held = self._held.get(place)
            changes[_SEPARATOR.join((_KIND, series, str(span), str(start)))] = None if held is None else _encode(held)
        self._changed.clear()
        return changes

    def restore(self, stored: Iterable[tuple[str, bytes]]) -> None:
        """Rebuild from all pairs that earlier ``drain`` calls left in the table; rows of others are passed over."""
        for key, value in stored:
            kind, *rest = key.split(_SEPARATOR)
            if kind == _KIND:
                series, span, start = rest
                self._held[int(span), int(start), series] = _decode(value)

    def _put(self, records: list[PublicCount], span: int, start: int, series: str, found: Held) -> bool:
        """Publishes, or holds back for the next longer span; False when there is none."""
        if not found.n:
            return True
        if found.people() >= self._k:
            people = estimate(found.sketch)
            records.append(
                PublicCount(
                    series=series, start=start, minutes=span, n=found.n, value=round(found.value, 2), subjects=people
                )
            )
            return True
        longer = next((each for each in SPANS if each > span), None)
        if longer is None:
            return False
        place = longer, start - start % longer, series
        self._held[place] = found.joined(self._held[place]) if place in self._held else found
        self._changed.add(place)
        return True

    def _close(self, records: list[PublicCount], span: int, last: int) -> None:
        """Ends all spans of a length that are over."""
        over = sorted(place for place in self._held if place[0] == span and place[1] + span - 1 <= last)
        small: dict[tuple[int, str], Held] = {}
        for place in over:
            _, start, series = place
            found = self._held.pop(place)
            self._changed.add(place)
            if not self._put(records, span, start, series, found):
                _join(small, (start, series.partition("/")[0]), found)
        rest: dict[tuple[int, str], Held] = {}
        for (start, site), found in small.items():
            if not self._put(records, span, start, f"{site}/{REST}", found):
                _join(rest, (start, REST), found)
        for (start, _), found in rest.items():
            self._put(records, span, start, f"{REST}/{REST}", found)


def _join(sums: dict[tuple[int, str], Held], key: tuple[int, str], found: Held) -> None:
    sums[key] = found.joined(sums[key]) if key in sums else found


def _accepted(window: Window) -> Held:
    cells = [cell for cell in window.cells if cell.outcome in SENT]
    return Held(sum(cell.n for cell in cells), sum(cell.value for cell in cells), window.accepted)
