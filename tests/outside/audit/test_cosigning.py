"""A sealer's folder and unmodified witnesses: quorum kept and published, a split history ends the log."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tamis.domain.audit.cosignature import cosigned_by
from tamis.domain.audit.note import parse_note
from tamis.domain.audit.policy import threshold
from tamis.domain.audit.witness import Conflict
from tamis.services.cosigning import Cosigning
from tamis.services.witness_client import WitnessClient
from tamis.services.witnessing import Pace, Witnessing
from tamis.stores.sealed_folder import SealedFolder
from tamis.stores.sealed_folder import SealedLog as StoredLog
from tests.support.litewitness import LiteWitness, litewitness
from tests.support.outside import Outside
from tests.support.patience import Deadline
from tests.support.requirements import require
from tests.support.sealed import SealedLog
from tests.support.sealed_folder import write_log
from tests.support.sealed_prod import prod_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tamis.domain.audit.checkpoint import Checkpoint
    from tamis.domain.audit.note import Note
    from tamis.domain.audit.proof import Node
    from tamis.domain.audit.witness import Answer

LIMIT_S = 60.0


class Sealer:
    """What a sealer and its telemetry are to cosigning."""

    def __init__(self, root: Path, witnesses: list[LiteWitness]) -> None:
        self.root = root
        self.published: list[tuple[int, str]] = []
        self.refused: list[tuple[str, str]] = []
        self.answers: list[Answer] = []
        self.waited = 0.0
        entries = [each.entry for each in witnesses]
        clients = {entry.name: WitnessClient(entry, 10).ask for entry in entries}
        pace = Pace(interval_s=0.01, patience_s=0.5, first_wait_s=0.05, longest_wait_s=0.2)
        asking = Witnessing(threshold(entries, len(entries)), clients, pace, time.monotonic)
        self.cosigning = Cosigning(root, asking, _nodes, self.publish, self.refuse, time.monotonic, self)

    def publish(self, checkpoint: Checkpoint, note: Note) -> None:
        self.published.append((checkpoint.size, str(note)))

    def refuse(self, origin: str, why: str) -> None:
        self.refused.append((origin, why))

    def answered(self, witness: str, answer: Answer) -> None:
        self.answers.append(answer)

    def unwitnessed(self, seconds: float) -> None:
        self.waited = seconds

    def seal(self, log: SealedLog, size: int) -> None:
        part = SealedLog(log.leaves[:size], log.origin)
        write_log(self.root, part)
        self.cosigning.offered(part.checkpoint(), part.note())

    def until(self, done: Callable[[], bool]) -> None:
        deadline = Deadline(LIMIT_S)
        while not done():
            deadline.check(self.answers)
            self.cosigning.step()
            time.sleep(0.01)


def _nodes(folder: Path, size: int) -> Node:
    return StoredLog(folder).node(size)


@pytest.fixture
def witnesses(tmp_path: Path) -> Iterator[list[LiteWitness]]:
    require("go")
    with (
        litewitness(tmp_path / "1", "witness.example/w1", b"\x01" * 32) as first,
        litewitness(tmp_path / "2", "witness.example/w2", b"\x02" * 32) as second,
    ):
        yield [first, second]


def test_the_newest_checkpoint_with_a_quorum_is_kept_and_published(
    witnesses: list[LiteWitness], tmp_path: Path
) -> None:
    log = prod_log(0, 700)
    for each in witnesses:
        each.knows(log.signer.vkey)
    sealer = Sealer(tmp_path / "logs", witnesses)
    for size in (40, 300, 700):
        sealer.seal(log, size)
        stored = SealedFolder(sealer.root).logs[0]
        assert len(stored.note.signatures) == 1, "published before anybody witnessed it"
        sealer.until(lambda size=size: any(each[0] == size for each in sealer.published))  # type: ignore[misc]
        stored = SealedFolder(sealer.root).logs[0]
        assert stored.witnessed is not None
        note, checkpoint = stored.witnessed
        assert (checkpoint.size, note) == (size, stored.note)
        assert len(cosigned_by(note, [each.key for each in witnesses])) == 2
    sealer.until(lambda: sealer.waited == 0.0)
    with Outside() as outside:
        place = sealer.root / "audit.log/p0/e1"
        assert outside.accepts("fsck", dir=place, keys=[log.signer.vkey])
        keys = {"keys": [log.signer.vkey], "witnesses": [each.key for each in witnesses]}
        assert outside.accepts("note", new=(place / "checkpoint").read_bytes(), **keys)
    sealer.cosigning.stop()


def test_a_log_rewritten_behind_a_witness_is_ended_and_another_is_not(
    witnesses: list[LiteWitness], tmp_path: Path
) -> None:
    log, other = prod_log(0, 700), prod_log(1, 700)
    for each in witnesses:
        each.knows(log.signer.vkey)
        each.knows(other.signer.vkey)
    before = Sealer(tmp_path / "before", witnesses)
    before.seal(log, 300)
    before.until(lambda: bool(before.published))
    before.cosigning.stop()
    forged = SealedLog([log.leaves[0].replace(b"granted", b"grunted"), *log.leaves[1:]], log.origin)
    sealer = Sealer(tmp_path / "logs", witnesses)
    sealer.seal(forged, 400)
    sealer.seal(other, 100)
    sealer.until(lambda: bool(sealer.refused) and bool(sealer.published))
    (refused,) = sealer.refused
    assert refused[0] == log.origin
    assert "fork: witness w" in refused[1]
    assert not (sealer.root / "audit.log/p0/e1/checkpoint.witnessed").exists()
    sealer.seal(forged, 500)
    sealer.seal(other, 200)
    sealer.until(lambda: sealer.published[-1][0] == 200)
    assert parse_note(sealer.published[-1][1]).text.startswith(other.origin)
    assert all(each.size(log.origin) == 300 for each in witnesses)
    assert any(isinstance(answer, Conflict) for answer in sealer.answers)
    sealer.cosigning.stop()
