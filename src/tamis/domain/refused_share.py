"""When too much is refused: the share of refused events over the last closed minutes of the whole installation.

Rules: pure; minutes come from all partitions of ``metrics.windows``, so one producer's mistake is judged by its share
of everything; a minute at or before the one a person resumed at counts no more; too few refused events never count.
"""

from collections.abc import Iterable

import msgspec


class RefusalLimit(msgspec.Struct, frozen=True, kw_only=True):
    """The limit.

    Attributes:
        max_ratio: share of refused events that is still let go on, 0 to 1.
        window_minutes: closed minutes it is taken of.
        min_events: fewer refused events than this are never too much.
    """

    max_ratio: float
    window_minutes: int
    min_events: int


class Excess(msgspec.Struct, frozen=True, kw_only=True):
    """More was refused than the limit lets go on.

    Attributes:
        minute: the last one counted, epoch minutes.
        refused: events refused within the window.
        events: all events within the window.
    """

    minute: int
    refused: int
    events: int


class RefusedShare:
    """Counts minutes.

    Args:
        limit: see ``RefusalLimit``.
    """

    def __init__(self, limit: RefusalLimit) -> None:
        self._limit = limit
        self._minutes: dict[int, list[int]] = {}

    def add(self, minute: int, cells: Iterable[tuple[bool, int]]) -> None:
        """Counts of one minute, in parts: (refused, events)."""
        counts = self._minutes.setdefault(minute, [0, 0])
        for refused, events in cells:
            counts[0] += events * refused
            counts[1] += events
        if len(self._minutes) > 2 * self._limit.window_minutes:
            newest = max(self._minutes)
            for old in [each for each in self._minutes if each <= newest - self._limit.window_minutes]:
                del self._minutes[old]

    def excess(self, after: int) -> Excess | None:
        """What is too much, judged by minutes later than ``after`` alone."""
        newest = max(self._minutes, default=0)
        first = max(newest - self._limit.window_minutes, after)
        counted = [counts for minute, counts in self._minutes.items() if first < minute]
        refused, events = sum(each[0] for each in counted), sum(each[1] for each in counted)
        if refused < self._limit.min_events or refused <= self._limit.max_ratio * events:
            return None
        return Excess(minute=newest, refused=refused, events=events)
