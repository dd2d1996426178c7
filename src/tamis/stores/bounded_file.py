"""Reads files that somebody else may have made: never more than a file of their kind can have.

Rules: a file that is larger gives its first bytes and one more than the limit, so whoever checks its length refuses it;
a line that is longer comes in pieces, none of which is what a line should be.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

MOST_BYTES = 17 << 20
"""More than any file of a log: 256 entries of 65,535 bytes with their lengths."""
MOST_LINE = 4 << 20
"""More than any line of an export or of ``heads``."""


def read_bounded(path: Path, most: int = MOST_BYTES) -> bytes:
    """The file, or its first ``most + 1`` bytes.

    Raises:
        OSError: as ``open``.
    """
    with path.open("rb") as file:
        return file.read(most + 1)


def lines_bounded(file: BinaryIO, most: int = MOST_LINE) -> Iterator[bytes]:
    """The lines of a file with their ends; longer ones in pieces."""
    while line := file.readline(most):
        yield line
