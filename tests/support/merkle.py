"""RFC 6962's recursive definition of a tree head, section 2.1: the slow reference for the compact range."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence


def root_of(
    leaves: Sequence[bytes],
    start: int = 0,
    end: int | None = None,
    cache: MutableMapping[tuple[int, int], bytes] | None = None,
) -> bytes:
    """MTH of the leaf hashes ``leaves[start:end]``; ``cache`` keeps subtrees between calls on the same leaves."""
    end, cache = len(leaves) if end is None else end, {} if cache is None else cache
    if start == end:
        return hashlib.sha256(b"").digest()
    if end - start == 1:
        return leaves[start]
    if (start, end) not in cache:
        split = start + (1 << (end - start - 1).bit_length() - 1)
        left, right = root_of(leaves, start, split, cache), root_of(leaves, split, end, cache)
        cache[start, end] = hashlib.sha256(b"\x01" + left + right).digest()
    return cache[start, end]
