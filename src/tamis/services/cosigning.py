"""Has the sealer's checkpoints witnessed: keeps the newest one with a quorum, and ends a log whose witnesses disagree.

Rules: sealing never waits for a witness; a checkpoint without enough cosignatures is published as the log signed it,
and that is how one sees that it is not witnessed; with enough it is kept as ``checkpoint.witnessed`` and published
again with them, and ``checkpoint`` gets them too while it is still the newest. A witness that has seen another history
ends the log at once: its owner must find out who is right.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tamis.domain.audit.checkpoint import Checkpoint
from tamis.domain.audit.note import Note, parse_note
from tamis.domain.audit.origin import parse_origin
from tamis.domain.audit.proof import Node
from tamis.domain.audit.tiles import CHECKPOINT_PATH
from tamis.domain.audit.witness import Answer, Conflict, Cosigned
from tamis.services.witness_client import SealedTree
from tamis.services.witnessing import Happened, Witnessing
from tamis.stores.durable_file import place_file
from tamis.stores.sealed_folder import WITNESSED_PATH


class WitnessObserver(Protocol):
    """Told of witnesses."""

    def answered(self, witness: str, answer: Answer) -> None:
        """A witness answered, or could not be asked."""

    def unwitnessed(self, seconds: float) -> None:
        """How long the oldest checkpoint without a quorum has waited; 0 when there is none."""


class Cosigning:
    """Follows one sealer.

    Args:
        root: folder of all logs.
        witnessing: asks the witnesses.
        nodes: folder of a log and size -> roots of its perfect subtrees.
        publish: told each checkpoint that has a quorum.
        refuse: ends a log: origin, and why.
        clock: seconds that only go forward.
        observer: told what happens.
    """

    def __init__(
        self,
        root: Path,
        witnessing: Witnessing,
        nodes: Callable[[Path, int], Node],
        publish: Callable[[Checkpoint, Note], None],
        refuse: Callable[[str, str], None],
        clock: Callable[[], float],
        observer: WitnessObserver,
    ) -> None:
        self._root, self._witnessing, self._nodes = root, witnessing, nodes
        self._publish, self._refuse, self._clock, self._observer = publish, refuse, clock, observer
        self._ended: set[str] = set()
        self._newest: dict[str, int] = {}
        self._since: dict[str, float] = {}

    def offered(self, checkpoint: Checkpoint, note: Note) -> None:
        """The log signed a checkpoint."""
        origin = checkpoint.origin
        if origin in self._ended:
            return
        self._newest[origin] = checkpoint.size
        self._since.setdefault(origin, self._clock())
        node = self._nodes(self._folder(origin), checkpoint.size)
        self._witnessing.offer(SealedTree(origin, checkpoint.size, checkpoint.root, note, node))

    def step(self) -> None:
        """Take what witnesses answered. Never waits.

        Raises:
            OwnTreeError: our own tiles are damaged.
        """
        for happened in self._witnessing.step():
            self._observer.answered(happened.witness, happened.answer)
            if isinstance(happened.answer, Conflict):
                self._end(happened, happened.answer)
            elif isinstance(happened.answer, Cosigned) and happened.enough:
                self._witnessed(happened)
        now = self._clock()
        self._observer.unwitnessed(max((now - began for began in self._since.values()), default=0.0))

    def stop(self) -> None:
        """End the threads."""
        self._witnessing.stop()

    def _folder(self, origin: str) -> Path:
        return self._root / parse_origin(origin).folder

    def _end(self, happened: Happened, conflict: Conflict) -> None:
        origin = happened.tree.origin
        if origin in self._ended:
            return
        self._ended.add(origin)
        self._since.pop(origin, None)
        self._witnessing.drop(origin)
        self._refuse(
            origin,
            f"{conflict.split}: witness {happened.witness} knows another history of this log, up to {conflict.known} "
            f"leaves, than the {happened.tree.size} leaves here",
        )

    def _witnessed(self, happened: Happened) -> None:
        tree = happened.tree
        note = tree.note.with_signatures(happened.signatures)
        folder = self._folder(tree.origin)
        place_file(folder / WITNESSED_PATH, note.encode())
        newest = folder / CHECKPOINT_PATH
        if parse_note(newest.read_bytes()).text == note.text:
            place_file(newest, note.encode())
        if self._newest.get(tree.origin, 0) > tree.size:
            self._since[tree.origin] = self._clock()
        else:
            self._since.pop(tree.origin, None)
        self._publish(Checkpoint(tree.origin, tree.size, tree.root), note)
