"""RFC 6962 Merkle tree heads, kept as a compact range that grows batch by batch.

Rules: a leaf is hashed as stored, ``SHA256(0x00 || value)``; a node is ``SHA256(0x01 || left || right)``; the head of
no leaves is ``SHA256("")`` (RFC 6962, section 2.1). A ``Frontier`` of n leaves holds the roots of its perfect subtrees,
largest first: one for each set bit of n. Not here: inclusion and consistency proofs, signatures, tiles, leaf encoding.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Self

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(value: bytes) -> bytes:
    """Hash of one leaf, over its stored bytes."""
    return sha256(b"\x00" + value).digest()


def leaf_hashes(values: Iterable[bytes]) -> list[bytes]:
    """``leaf_hash`` of each value, for a whole batch."""
    hasher = sha256
    return [hasher(b"\x00" + value).digest() for value in values]


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node over its two children."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a Merkle tree: enough to append leaves and to give the root.

    Attributes:
        n: leaves so far.
        peaks: roots of the perfect subtrees, largest first.
    """

    __slots__ = ("n", "peaks")

    def __init__(self) -> None:
        self.n = 0
        self.peaks: list[bytes] = []

    @classmethod
    def from_peaks(cls, n: int, peaks: Sequence[bytes]) -> Self:
        """Resume from a stored head.

        Args:
            n: leaves in the tree.
            peaks: one hash for each set bit of ``n``, largest subtree first.

        Raises:
            ValueError: the peaks cannot belong to a tree of ``n`` leaves.
        """
        if n < 0 or len(peaks) != n.bit_count() or any(len(peak) != HASH_BYTES for peak in peaks):
            raise ValueError(f"{len(peaks)} peaks do not fit a tree of {n} leaves")
        frontier = cls()
        frontier.n = n
        frontier.peaks = list(peaks)
        return frontier

    def copy(self) -> "Frontier":
        """An independent frontier of the same tree."""
        return Frontier.from_peaks(self.n, self.peaks)

    def append(self, digest: bytes) -> None:
        """Add one leaf hash."""
        peaks, rest = self.peaks, self.n
        while rest & 1:
            digest = node_hash(peaks.pop(), digest)
            rest >>= 1
        peaks.append(digest)
        self.n += 1

    def extend(self, digests: Iterable[bytes]) -> None:
        """Add leaf hashes in order, level by level: the cheap way for a batch.

        On each level the subtree left open there, if any, comes first; what stays without a partner is the new peak.
        """
        hasher, peaks, rest = sha256, self.peaks, self.n
        level, unpaired = list(digests), list[bytes]()
        self.n += len(level)
        while level:
            if rest & 1:
                level.insert(0, peaks.pop())
            if len(level) & 1:
                unpaired.append(level.pop())
            pairs = iter(level)
            level = [hasher(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
            rest >>= 1
        peaks.extend(reversed(unpaired))

    def root(self) -> bytes:
        """The tree head, as RFC 6962's MTH of all leaves so far."""
        if not self.peaks:
            return EMPTY_ROOT
        digest = self.peaks[-1]
        for left in self.peaks[-2::-1]:
            digest = node_hash(left, digest)
        return digest
