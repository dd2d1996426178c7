"""Which values a signal has shown so far, on a bounded grid: how far is a new one from all of them?

Rules: two values in one grid cell are the same value; the cell width is a power of two and doubles whenever more than
``MOST_CELLS`` cells are in use, so the state is bounded whatever comes; a cell not visited for ``WINDOW`` observations
is forgotten; the record (lowest and highest ever) is not. Measures are square roots of shares of the range, so that a
small gap in a wide range still counts.
"""

from array import array
from bisect import bisect_left
from math import floor, frexp, inf, ldexp, sqrt

import msgspec

from tamis.anomaly.packing import pack, unpack

MOST_CELLS = 1_024
FIRST_CELLS = 4_096  # the first cells are this part of the first range
WARM = 30  # observations before anything is judged
WINDOW = 20_000
SWEEP = 256  # forgotten cells are looked for so often
RANGELESS = sqrt(10.0)  # what a first other value after a constant counts


class SeenState(msgspec.Struct, frozen=True, array_like=True):
    """The whole state of ``SeenValues``: cells as packed arrays, width 0 before the first range is known."""

    values: bytes
    visits: bytes
    width: float
    low: float
    high: float
    n: int


class SeenValues:
    """The values of one signal, each cell with the number of its last visit."""

    __slots__ = ("_high", "_low", "_n", "_values", "_visits", "_width")

    def __init__(self) -> None:
        self._values = array("d")
        self._visits = array("d")
        self._width = 0.0
        self._low, self._high = inf, -inf
        self._n = 0

    @property
    def n(self) -> int:
        """Observations learned."""
        return self._n

    def measure(self, value: float) -> tuple[float, float]:
        """Gap to the nearest value seen, and excess over the record, as square roots of shares of the range."""
        if self._n < WARM:
            return 0.0, 0.0
        values = self._values
        at = bisect_left(values, value)
        if at == 0:
            distance = values[0] - value
        elif at == len(values):
            distance = value - values[-1]
        else:
            distance = min(value - values[at - 1], values[at] - value)
        spread, record = values[-1] - values[0], self._high - self._low
        gap = sqrt(distance / spread) if spread > 0.0 else (RANGELESS if distance > 0.0 else 0.0)
        excess = max(value - self._high, self._low - value)
        if excess <= 0.0:
            return gap, 0.0
        return gap, sqrt(excess / record) if record > 0.0 else RANGELESS

    def learn(self, value: float) -> None:
        """Add one observation."""
        self._n += 1
        self._low, self._high = min(value, self._low), max(value, self._high)
        self._visit(value)
        if self._n == WARM and self._high > self._low:
            self._width = ldexp(1.0, frexp((self._high - self._low) / FIRST_CELLS)[1])
        if len(self._values) > MOST_CELLS:
            self._widen()
        if self._n % SWEEP == 0:
            self._forget()

    def encode(self) -> SeenState:
        """The whole state as plain values."""
        return SeenState(pack(self._values), pack(self._visits), self._width, self._low, self._high, self._n)

    def restore(self, state: SeenState) -> None:
        """Take over a state made by ``encode``."""
        cells = len(state.values) // 8
        self._values, self._visits = unpack("d", state.values, cells), unpack("d", state.visits, cells)
        self._width, self._low, self._high, self._n = state.width, state.low, state.high, state.n

    def _visit(self, value: float) -> None:
        values, width = self._values, self._width
        at = bisect_left(values, value)
        if width:
            cell = floor(value / width)
            if at < len(values) and floor(values[at] / width) == cell:
                self._visits[at] = self._n
                return
            if at and floor(values[at - 1] / width) == cell:
                self._visits[at - 1] = self._n
                return
        elif at < len(values) and values[at] == value:
            self._visits[at] = self._n
            return
        values.insert(at, value)
        self._visits.insert(at, self._n)

    def _widen(self) -> None:
        """Make cells wider until half of the places are free; of one cell's values the last visited one stays."""
        if not self._width:
            self._width = ldexp(1.0, frexp((self._high - self._low) / FIRST_CELLS)[1])
        while len(self._values) > MOST_CELLS // 2:
            self._width *= 2.0
            kept, visits, last = array("d"), array("d"), None
            for value, visit in zip(self._values, self._visits, strict=True):
                cell = floor(value / self._width)
                if cell != last:
                    kept.append(value)
                    visits.append(visit)
                elif visit > visits[-1]:
                    kept[-1], visits[-1] = value, visit
                last = cell
            self._values, self._visits = kept, visits

    def _forget(self) -> None:
        oldest = self._n - WINDOW
        if oldest <= 0 or min(self._visits) > oldest:
            return
        kept = [(v, n) for v, n in zip(self._values, self._visits, strict=True) if n > oldest]
        self._values = array("d", [v for v, _ in kept])
        self._visits = array("d", [n for _, n in kept])
