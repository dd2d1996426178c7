"""A worker's signature over one batch: who wrote these leaves, in which tree (``audit-batch/v1``).

Rules: one Ed25519 signature a head, over the log's origin, the leaves' range ``[start, n)``, the root of that range
alone and the root of the whole tree; it is no checkpoint, so an aborted and repeated batch may be signed twice without
harm. Keys are a worker's own, made in memory, short-lived and registered in ``audit.control`` (``control``).
"""

from base64 import b64encode
from hashlib import sha256
from typing import Protocol

_ID_CHARS = 16


class BatchSigner(Protocol):
    """Signs heads; the key stays where it is."""

    @property
    def id(self) -> str:
        """The key's id, see ``worker_key_id``."""

    def sign(self, message: bytes) -> bytes:
        """64 bytes of Ed25519."""


def worker_key_id(public: bytes) -> str:
    """A worker key's id: 16 hexadecimal characters of the SHA-256 of its 32 bytes."""
    return sha256(public).hexdigest()[:_ID_CHARS]


def attested(origin: str, start: int, n: int, batch_root: bytes, root: bytes) -> bytes:
    """What a worker signs.

    Args:
        origin: of the log.
        start: index of the first leaf.
        n: index behind the last.
        batch_root: MTH of these alone; of no leaves for an idle head.
        root: of the tree of n leaves.
    """
    return (
        f"audit-batch/v1\n{origin}\n{start}\n{n}\n{b64encode(batch_root).decode()}\n{b64encode(root).decode()}\n"
    ).encode()
