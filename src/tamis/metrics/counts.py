"""The counts of one series over one span of time while they grow: cells by fate and facets, and a sketch of subjects.

Rules: adding is commutative and exact; the encoded form (``metrics.open``) is explicit and gives the same counts back;
rows of earlier versions, which are the cells alone, are still read.
"""

from collections.abc import Iterable

import msgspec

from tamis.domain.counts.sketch import Sketch
from tamis.records.metrics import Cell, WindowCell

_Key = tuple[str, str, str, str, str, str]


class _Row(msgspec.Struct, frozen=True, omit_defaults=True):
    cells: tuple[WindowCell, ...]
    subjects: bytes = b""
    accepted: bytes = b""


_decoder: msgspec.json.Decoder[_Row | tuple[WindowCell, ...]] = msgspec.json.Decoder(_Row | tuple[WindowCell, ...])
_encode = msgspec.json.Encoder().encode


class Counts:
    """Grows until its span is over.

    Attributes:
        n: events.
        subjects: their subjects.
        accepted: those of accepted ones.
    """

    __slots__ = ("_sums", "accepted", "n", "subjects")

    def __init__(self) -> None:
        self._sums: dict[_Key, tuple[int, float]] = {}
        self.subjects = Sketch()
        self.accepted = Sketch()
        self.n = 0

    def add(self, cells: Iterable[Cell | WindowCell]) -> None:
        """Takes cells in, whatever their series and minute."""
        sums = self._sums
        for cell in cells:
            key = (cell.outcome, cell.reason, cell.stage, cell.channel, cell.device, cell.producer)
            n, value = sums.get(key, (0, 0.0))
            sums[key] = (n + cell.n, value + cell.value)
            self.n += cell.n

    def cells(self) -> tuple[WindowCell, ...]:
        """Each combination once, in order."""
        return tuple([WindowCell(key[0], key[1], n, value, *key[2:]) for key, (n, value) in sorted(self._sums.items())])

    def encode(self) -> bytes:
        """As it is kept."""
        return _encode(_Row(self.cells(), self.subjects.encode(), self.accepted.encode()))


def decode_counts(stored: bytes) -> Counts:
    """What ``Counts.encode`` gave.

    Raises:
        msgspec.DecodeError, ValueError: not written by tamis, a fault.
    """
    row, counts = _decoder.decode(stored), Counts()
    if isinstance(row, tuple):
        row = _Row(row)
    counts.add(row.cells)
    counts.subjects.merge(row.subjects)
    counts.accepted.merge(row.accepted)
    return counts
