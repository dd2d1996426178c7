"""Reads big-endian bit fields from base64url text, strictly within bounds.

Rules: only ``A-Z a-z 0-9 - _``, no ``=``; a text has six bits a character; a read past the end sets ``flaw`` and
gives 0, and so does every later read; after the last field only zeros may follow, and not many: official encoders
fill up to a whole byte, character or group of four characters, old ones some bytes more. A read costs the same
wherever it is.
"""

import re
from binascii import a2b_base64

from tamis.domain.consent.strings.flaw import Flaw

MAX_PADDING = 23
"""Zero bits that encoders leave after the last field at most: groups of 24 bits."""
_WINDOW = bytes(8)
_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_SEXTETS = re.compile(r"[A-Za-z0-9_-]+").fullmatch
_FILL = (b"", b"AAA", b"AA", b"A")


class Cursor:
    """A position in the bits of one segment.

    Attributes:
        size: bits there are.
        pos: bits read.
        flaw: the first thing that went wrong, None so far.
        octets: the bits as bytes, zeros after the end, so that an 8-byte window fits everywhere.
    """

    __slots__ = ("flaw", "octets", "pos", "size")

    def __init__(self, text: str) -> None:
        """Begins at the first bit of ``text``; text that is not base64url is a flaw at once."""
        self.pos = 0
        self.flaw: Flaw | None = None
        if _SEXTETS(text):
            self.size = 6 * len(text)
            self.octets = a2b_base64(text.encode().translate(_TO_STANDARD) + _FILL[len(text) & 3]) + _WINDOW
        else:
            self.size = 0
            self.octets = _WINDOW
            self.flaw = Flaw.ALPHABET if text else Flaw.EMPTY

    def fail(self, flaw: Flaw) -> None:
        """Keeps the first flaw and ends the reading."""
        if self.flaw is None:
            self.flaw = flaw
        self.pos = self.size

    def take(self, width: int) -> int:
        """The next ``width`` bits (at most 56) as an unsigned number."""
        pos = self.pos
        end = pos + width
        if end > self.size:
            self.fail(Flaw.TRUNCATED)
            return 0
        self.pos = end
        start = pos >> 3
        return (int.from_bytes(self.octets[start : start + 8], "big") >> (64 - (pos & 7) - width)) & ((1 << width) - 1)

    def take_long(self, width: int) -> int:
        """The next ``width`` bits, however many, as an unsigned number."""
        end = self.pos + width
        if end > self.size:
            self.fail(Flaw.TRUNCATED)
            return 0
        number = int.from_bytes(self.octets[self.pos >> 3 : (end + 7) >> 3], "big") >> (-end & 7)
        self.pos = end
        return number & ((1 << width) - 1)

    def finish(self, most: int = MAX_PADDING) -> None:
        """All fields are read: what is left must be padding, at most ``most`` bits."""
        rest = self.size - self.pos
        if rest > most or self.take_long(rest):
            self.fail(Flaw.PADDING)
