"""The running sums before each of the last minutes, in one flat array: what a minute costs is a few numbers.

Rules: minutes are contiguous (a gap starts a new trail); the oldest minute makes room for the newest.
"""

from array import array

from tamis.anomaly.packing import pack, unpack


class SumsTrail:
    """The last ``longest`` rows of ``width`` running sums.

    Args:
        longest: rows kept.
        width: sums in a row.
    """

    __slots__ = ("_longest", "_rows", "_used", "_width")

    def __init__(self, longest: int, width: int) -> None:
        self._longest, self._width = longest, width
        self._rows = array("d")
        self._used = 0

    def __len__(self) -> int:
        return min(self._used, self._longest)

    def before(self, minutes: int) -> "array[float]":
        """The sums before the first of the last ``minutes`` minutes."""
        at = (self._used - minutes) % self._longest * self._width
        return self._rows[at : at + self._width]

    def push(self, sums: tuple[float, ...]) -> None:
        """Add the sums before one minute."""
        if self._used < self._longest:
            self._rows.extend(sums)
        else:
            at = self._used % self._longest * self._width
            self._rows[at : at + self._width] = array("d", sums)
        self._used += 1

    def clear(self) -> None:
        """Begin a new trail."""
        self._rows = array("d")
        self._used = 0

    def encode(self) -> bytes:
        """The rows, oldest first, packed."""
        first = 0 if self._used <= self._longest else self._used % self._longest * self._width
        return pack(self._rows[first:] + self._rows[:first])

    def restore(self, packed: bytes) -> None:
        """Take over rows made by ``encode``."""
        self._rows = unpack("d", packed, len(packed) // 8)
        self._used = len(self._rows) // self._width
