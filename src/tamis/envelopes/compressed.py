"""Opens a gzip body within bounds (RFC 1952).

Rules: recognised by its first bytes, whatever a header says; one member; what opens to more than the size limit of a
record is refused after that many bytes, so a small record never becomes a large one; anything cut, damaged or followed
by more is refused.
"""

import zlib
from typing import Final

from tamis.domain.event import Invalid
from tamis.envelopes import refusal

MAGIC: Final = b"\x1f\x8b"
_GZIP: Final = 16 + zlib.MAX_WBITS


def opened(value: bytes, limit: int) -> bytes | Invalid:
    """The content of a gzip body.

    Args:
        value: starts with ``MAGIC``.
        limit: most bytes it may hold.
    """
    stream = zlib.decompressobj(_GZIP)
    try:
        content = stream.decompress(value, limit + 1)
    except zlib.error:
        return refusal.NOT_UTF8
    if len(content) > limit:
        return refusal.TOO_LARGE
    return content if stream.eof and not stream.unused_data else refusal.NOT_UTF8
