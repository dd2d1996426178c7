"""The last half hour of a stream: what it counted, what was usual, and how high the level stood before.

Rules: minutes are contiguous (a gap starts a new trail); a window is judged by the level that stood *before* it, so a
fault cannot explain itself.
"""

from collections import deque
from typing import NamedTuple

import msgspec

from tamis.anomaly.season import Range, Tier

LONGEST = 30


class Mark(NamedTuple):
    """State before a minute: running sums since the trail began, and the levels of that moment.

    Attributes:
        observed, low, mid, high: sums of the counts and of the usual range.
        quick, slow, day: observed / usual, with half-lives of 20 minutes, an hour and a day.
        level: mean count per minute, half-life half an hour, whatever is usual.
        tier: of the minute itself.
    """

    observed: float = 0.0
    low: float = 0.0
    mid: float = 0.0
    high: float = 0.0
    quick: float = 1.0
    slow: float = 1.0
    day: float = 1.0
    level: float = 0.0
    tier: int = Tier.NONE


class TrailState(msgspec.Struct, frozen=True, array_like=True):
    """The running sums and the marks before each of the last minutes."""

    total: tuple[float, float, float, float]
    marks: list[Mark]


class Trail:
    """Sliding sums over the last ``LONGEST`` minutes."""

    __slots__ = ("_marks", "total")

    def __init__(self) -> None:
        self._marks: deque[Mark] = deque(maxlen=LONGEST)
        self.total = (0.0, 0.0, 0.0, 0.0)

    def __len__(self) -> int:
        return len(self._marks)

    def before(self, minutes: int) -> Mark:
        """The mark before the first of the last ``minutes`` minutes."""
        return self._marks[-minutes]

    def push(self, mark: Mark, count: float, usual: Range) -> None:
        """Add one minute, with the mark before it."""
        self._marks.append(mark)
        self.total = (mark.observed + count, mark.low + usual.low, mark.mid + usual.mid, mark.high + usual.high)

    def clear(self) -> None:
        """Begin a new trail."""
        self._marks.clear()
        self.total = (0.0, 0.0, 0.0, 0.0)

    def encode(self) -> TrailState:
        """The whole state as plain values."""
        return TrailState(self.total, list(self._marks))

    def restore(self, state: TrailState) -> None:
        """Take over a state made by ``encode``."""
        self.total = state.total
        self._marks = deque(state.marks, maxlen=LONGEST)
