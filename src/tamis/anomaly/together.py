"""Do the series of a site fail together? Fresh counts of each against its own recent level.

Rules: a series has a say over the last ``WINDOWS`` minutes once it would usually have ``ENOUGH`` events in them; they
fail together when at least ``LEAST`` have a say and ``SHARE`` of them fell (or rose) at once; levels are not learned
while the site is failing. What is usual at this time of day is not known here: it is asked only when a detector found
something.
"""

from array import array
from enum import IntEnum

import msgspec

from tamis.anomaly.packing import pack, unpack

WINDOWS = (1, 2, 3, 5, 10)  # minutes
LONGEST = WINDOWS[-1]
ENOUGH = 5.0
LEAST, SHARE, DOUBT = 2, 0.7, 0.4
FELL, ROSE = 0.3, 2.0  # of the usual
KEEP = 0.5 ** (1.0 / 60.0)  # half-life of the usual, minutes
GONE = 1e-3  # events per minute: a series that stands lower is forgotten


class Together(IntEnum):
    """How the series of a site stand to each other."""

    APART = 0
    DOUBTFUL = 1
    FELL = 2
    ROSE = 3


class TogetherState(msgspec.Struct, frozen=True, array_like=True):
    """Names of the series, their levels and weights, and their last ten counts, packed."""

    names: tuple[str, ...]
    levels: bytes
    recent: bytes


class SiteSeries:
    """Counts of each series of one site."""

    __slots__ = ("_series",)

    def __init__(self) -> None:
        self._series: dict[str, tuple[array[float], list[float]]] = {}

    def __len__(self) -> int:
        return len(self._series)

    def learn(self, counts: dict[str, float], *, levels: bool) -> None:
        """Add one minute.

        Args:
            counts: series -> events; a series without is 0.
            levels: learn what is usual from it, too.
        """
        for name in counts:
            if name not in self._series:
                self._series[name] = array("d", (0.0, 0.0)), []
        gone = []
        for name, (level, recent) in self._series.items():
            count = counts.get(name, 0.0)
            recent.append(count)
            if len(recent) > LONGEST:
                del recent[0]
            if levels:
                level[0] = level[0] * KEEP + count
                level[1] = level[1] * KEEP + 1.0
                if level[0] < GONE * level[1]:
                    gone.append(name)
        for name in gone:
            del self._series[name]

    def judge(self) -> tuple[Together, list[str]]:
        """How the series stand now, and those that failed, the largest first."""
        doubtful, known = False, [(n, s[0] / s[1], r) for n, (s, r) in self._series.items() if s[1] > 0.0]
        for window in WINDOWS:
            say = [(usual * window, sum(recent[-window:]), name) for name, usual, recent in known]
            say = [each for each in say if each[0] >= ENOUGH]
            if len(say) < LEAST:
                continue
            fell = [(usual, name) for usual, seen, name in say if seen <= FELL * usual]
            rose = [(usual, name) for usual, seen, name in say if seen >= ROSE * usual]
            for found, turn in ((fell, Together.FELL), (rose, Together.ROSE)):
                if len(found) >= SHARE * len(say) and len(found) >= LEAST:
                    return turn, [name for _, name in sorted(found, reverse=True)]
                doubtful = doubtful or (len(found) >= DOUBT * len(say) and len(found) >= LEAST)
        return (Together.DOUBTFUL if doubtful else Together.APART), []

    def encode(self) -> TogetherState:
        """The whole state as plain values."""
        levels, recent = array("d"), array("d")
        for level, counts in self._series.values():
            levels.extend(level)
            recent.extend([-1.0] * (LONGEST - len(counts)) + counts)
        return TogetherState(tuple(self._series), pack(levels), pack(recent))

    def restore(self, state: TogetherState) -> None:
        """Take over a state made by ``encode``."""
        levels = unpack("d", state.levels, 2 * len(state.names))
        recent = unpack("d", state.recent, LONGEST * len(state.names))
        self._series = {
            name: (
                levels[2 * i : 2 * i + 2],
                [count for count in recent[LONGEST * i : LONGEST * (i + 1)] if count >= 0.0],
            )
            for i, name in enumerate(state.names)
        }
