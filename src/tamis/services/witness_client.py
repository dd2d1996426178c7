"""Asks one witness over HTTP for cosignatures of checkpoints (c2sp.org/tlog-witness).

Rules: the proof is checked against our own roots before it is sent, so that a refusal says something about the
witness's view and not about a damaged tile of ours; a witness that knows less than was thought is asked again at once,
from where it is. Not here: when to ask (``witnessing``).
"""

from collections.abc import Callable

import msgspec

from tamis.domain.audit.note import Note
from tamis.domain.audit.policy import PolicyWitness
from tamis.domain.audit.proof import Node, consistency_holds, consistency_proof, range_root
from tamis.domain.audit.witness import (
    MAX_ANSWER_BYTES,
    Answer,
    Behind,
    Cosigned,
    Reply,
    Request,
    Trouble,
    Unavailable,
    read_answer,
)
from tamis.services.http_post import HttpError, Poster

_BODY_TYPE = "text/plain; charset=utf-8"
_TURNS = 3


class SealedTree(msgspec.Struct, frozen=True):
    """A checkpoint to be witnessed, and its tree.

    Attributes:
        origin: of the log.
        size: leaves.
        root: tree head at ``size``.
        note: the checkpoint as the log signed it.
        node: roots of perfect subtrees, to prove from; may be called from another thread.
    """

    origin: str
    size: int
    root: bytes
    note: Note
    node: Node


class OwnTreeError(Exception):
    """Our own tiles do not give the root that was signed: a fault on this side."""


class WitnessClient:
    """One witness.

    Args:
        witness: with its address.
        timeout_s: for each wait.
    """

    def __init__(self, witness: PolicyWitness, timeout_s: float) -> None:
        self.witness = witness
        self._poster = Poster(witness.url.rstrip("/") + "/add-checkpoint", timeout_s, MAX_ANSWER_BYTES)
        self._known: dict[str, int] = {}

    def ask(self, tree: SealedTree) -> Answer:
        """Ask for a cosignature.

        Raises:
            OwnTreeError: a proof from our own tiles does not hold.
        """
        for _ in range(_TURNS):
            answer = self._ask(tree, min(self._known.get(tree.origin, 0), tree.size))
            if isinstance(answer, Cosigned):
                self._known[tree.origin] = tree.size
            if not isinstance(answer, Behind):
                return answer
            self._known[tree.origin] = answer.size
        return Unavailable(Trouble.BUSY)

    def close(self) -> None:
        """Let the connection go."""
        self._poster.close()

    def _ask(self, tree: SealedTree, old: int) -> Answer:
        request = Request(old, tree.size, _proof(tree, old), tree.note)
        try:
            found = self._poster.post(request.encode(), _BODY_TYPE)
        except HttpError:
            return Unavailable(Trouble.UNREACHABLE)
        kind = found.headers.get("content-type", "").partition(";")[0].strip().lower()
        reply = Reply(found.status, found.body, kind, found.headers.get("retry-after", ""))
        return read_answer(request, reply, self.witness.key)


Ask = Callable[[SealedTree], Answer]


def _proof(tree: SealedTree, old: int) -> tuple[bytes, ...]:
    if not old:
        return ()
    proof = consistency_proof(tree.node, old, tree.size)
    if not consistency_holds(proof, old, range_root(tree.node, 0, old), tree.size, tree.root):
        raise OwnTreeError(f"{tree.origin}: tiles do not lead from {old} to the root signed at {tree.size}")
    return tuple(proof)
