"""Lines of a byte stream as they come, however long: nothing waits for the end of the input, no line fills the memory.

Rules: a line ends at LF or CR LF or at the end of the input; of a line longer than the limit only ``limit + 1`` bytes
are given, so that its length still shows. An input that ends in LF has no empty last line.
"""

from collections.abc import Iterator
from typing import Protocol

CHUNK = 1 << 16


class Stream(Protocol):
    """What ``sys.stdin.buffer`` is."""

    def read1(self, size: int, /) -> bytes:
        """At most ``size`` bytes that are there now; waits for the first; empty at the end."""
        ...


def lines_of(stream: Stream, limit: int) -> Iterator[bytes]:
    """Yields every line without its end, cut after ``limit + 1`` bytes."""
    kept = bytearray()
    begun = False
    while chunk := stream.read1(CHUNK):
        *ended, rest = chunk.split(b"\n")
        for piece in ended:
            yield _line(kept, piece, limit)
            kept.clear()
            begun = False
        if rest:
            begun = True
            kept += rest[: limit + 2 - len(kept)]
    if begun:
        yield _line(kept, b"", limit)


def _line(kept: bytearray, piece: bytes, limit: int) -> bytes:
    line = bytes(kept) + piece[: max(0, limit + 2 - len(kept))]
    return line.removesuffix(b"\r")[: limit + 1]
