"""Small logs with keys: checkpoints signed and cosigned as a sealer and its witnesses do."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tamis.domain.audit.checkpoint import Checkpoint
from tamis.domain.audit.cosignature import Cosigner
from tamis.domain.audit.merkle import leaf_hash
from tamis.domain.audit.note import Note, NoteSigner
from tamis.domain.audit.proof import Node, consistency_proof, range_root, stored_nodes

if TYPE_CHECKING:
    from collections.abc import Sequence

ORIGIN = "audit.example.org/prod/audit.log/p0/e1"


def private_key(label: str) -> Ed25519PrivateKey:
    """The same key for the same label."""
    return Ed25519PrivateKey.from_private_bytes(sha256(label.encode()).digest())


class SealedLog:
    """Leaves of one log, its key, and checkpoints at any size."""

    def __init__(self, leaves: Sequence[bytes], origin: str = ORIGIN, key: str = "log") -> None:
        self.leaves = list(leaves)
        self.origin = origin
        self.signer = NoteSigner(origin, private_key(key))
        self.node: Node = stored_nodes([leaf_hash(leaf) for leaf in self.leaves])

    def checkpoint(self, size: int | None = None) -> Checkpoint:
        """What the log says at a size."""
        size = len(self.leaves) if size is None else size
        return Checkpoint(self.origin, size, range_root(self.node, 0, size))

    def note(self, size: int | None = None, *, cosigners: Sequence[Cosigner] = (), time_s: int = 1_800_000_000) -> Note:
        """The signed checkpoint."""
        text = str(self.checkpoint(size))
        return Note(text, (self.signer.sign(text), *(cosigner.sign(text, time_s) for cosigner in cosigners)))

    def prove(self, old: int, new: int) -> list[bytes]:
        """Consistency proof."""
        return consistency_proof(self.node, old, new)


def numbered(count: int, mark: str = "") -> list[bytes]:
    """So many different leaves."""
    return [f'{{"leaf":{n},"mark":"{mark}"}}'.encode() for n in range(count)]
