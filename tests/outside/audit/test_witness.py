"""An unmodified third-party witness (litewitness) and our client: cosignatures, growth, and histories that split."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tamis.domain.audit.cosignature import cosigned_by
from tamis.domain.audit.note import Note
from tamis.domain.audit.policy import threshold
from tamis.domain.audit.witness import Conflict, Cosigned, Split, Trouble, Unavailable
from tamis.services.witness_client import SealedTree, WitnessClient
from tamis.services.witnessing import Happened, Pace, Witnessing
from tests.support.litewitness import LiteWitness, litewitness
from tests.support.outside import Outside
from tests.support.patience import Deadline
from tests.support.requirements import require
from tests.support.sealed import ORIGIN, SealedLog, numbered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LIMIT_S = 60.0
LOG = SealedLog(numbered(700))
REWRITTEN = SealedLog([b"{}", *numbered(699)])


@pytest.fixture(scope="module")
def witnesses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[LiteWitness]]:
    require("go")
    folder = tmp_path_factory.mktemp("w")
    with (
        litewitness(folder / "1", "witness.example/w1", b"\x01" * 32) as first,
        litewitness(folder / "2", "witness.example/w2", b"\x02" * 32) as second,
    ):
        yield [first, second]


def _tree(log: SealedLog, size: int) -> SealedTree:
    return SealedTree(log.origin, size, log.checkpoint(size).root, log.note(size), log.node)


def _log(witnesses: list[LiteWitness], name: str, leaves: list[bytes]) -> SealedLog:
    log = SealedLog(leaves, f"{ORIGIN.removesuffix('p0/e1')}{name}/e1")
    for witness in witnesses:
        witness.knows(log.signer.vkey)
    return log


def test_cosignatures_follow_a_growing_log_and_outsiders_accept_them(witnesses: list[LiteWitness]) -> None:
    log, witness = _log(witnesses, "p1", LOG.leaves), witnesses[0]
    client = WitnessClient(witness.entry, 10)
    with Outside() as outside:
        for size in (1, 2, 2, 255, 256, 257, 512, 700):
            answer = client.ask(_tree(log, size))
            assert isinstance(answer, Cosigned)
            note = Note(log.note(size).text, (*log.note(size).signatures, answer.signature))
            assert cosigned_by(note, [witness.key]) == {witness.key: answer.time_s}
            said = outside.ask("note", new=note.encode(), keys=[log.signer.vkey], witnesses=[witness.key])
            assert said["said"] == {"origin": log.origin, "size": size, "times": {witness.key.name: answer.time_s}}
            assert witness.size(log.origin) == size
    client.close()


def test_a_client_that_forgot_where_the_witness_is_learns_it(witnesses: list[LiteWitness]) -> None:
    log = _log(witnesses, "p2", LOG.leaves)
    assert isinstance(WitnessClient(witnesses[0].entry, 10).ask(_tree(log, 300)), Cosigned)
    assert isinstance(WitnessClient(witnesses[0].entry, 10).ask(_tree(log, 700)), Cosigned)


def test_a_log_cut_off_or_rewritten_is_a_conflict(witnesses: list[LiteWitness]) -> None:
    log = _log(witnesses, "p3", LOG.leaves)
    client = WitnessClient(witnesses[0].entry, 10)
    assert isinstance(client.ask(_tree(log, 600)), Cosigned)
    assert WitnessClient(witnesses[0].entry, 10).ask(_tree(log, 500)) == Conflict(Split.ROLLBACK, 600)
    forged = SealedLog(REWRITTEN.leaves, log.origin)
    assert client.ask(_tree(forged, 700)) == Conflict(Split.FORK, 600)
    assert client.ask(_tree(forged, 600)) == Conflict(Split.FORK, 600)
    assert isinstance(client.ask(_tree(log, 700)), Cosigned)


def test_a_log_or_key_the_witness_does_not_know_is_no_conflict(witnesses: list[LiteWitness]) -> None:
    client = WitnessClient(witnesses[0].entry, 10)
    unknown = client.ask(_tree(SealedLog(numbered(3), "nobody.example/audit.log/p0/e1"), 3))
    assert unknown in {Unavailable(Trouble.UNKNOWN_KEY), Unavailable(Trouble.UNKNOWN_LOG)}
    log = _log(witnesses, "p4", LOG.leaves)
    stranger = SealedLog(LOG.leaves, log.origin, key="stolen by nobody")
    assert client.ask(_tree(stranger, 3)) == Unavailable(Trouble.UNKNOWN_KEY)


def _until(witnessing: Witnessing, done: Callable[[list[Happened]], bool]) -> list[Happened]:
    happened: list[Happened] = []
    deadline = Deadline(LIMIT_S)
    while not done(happened):
        deadline.check(happened)
        happened += witnessing.step()
        time.sleep(0.01)
    return happened


def _witnessing(witnesses: list[LiteWitness], least: int) -> Witnessing:
    entries = [witness.entry for witness in witnesses]
    asks = {entry.name: WitnessClient(entry, 10).ask for entry in entries}
    pace = Pace(interval_s=0.01, patience_s=0.5, first_wait_s=0.05, longest_wait_s=0.2)
    return Witnessing(threshold(entries, least), asks, pace, time.monotonic)


def test_a_quorum_is_of_one_checkpoint_while_the_log_grows(witnesses: list[LiteWitness]) -> None:
    logs = [_log(witnesses, f"p{n}", LOG.leaves) for n in (5, 6, 7)]
    witnessing = _witnessing(witnesses, 2)
    enough: list[Happened] = []
    for size in range(10, 700, 69):
        for log in logs:
            witnessing.offer(_tree(log, size))
        enough += _until(witnessing, lambda happened: sum(each.enough for each in happened) >= len(logs))
    witnessing.stop()
    for each in enough:
        if each.enough:
            note = each.tree.note.with_signatures(each.signatures)
            assert set(cosigned_by(note, [witness.key for witness in witnesses])) == {w.key for w in witnesses}


def _kind(each: Happened) -> object:
    return Cosigned if isinstance(each.answer, Cosigned) else each.answer


def test_a_witness_that_is_down_holds_up_nobody_and_is_asked_again(tmp_path: Path) -> None:
    require("go")
    log = SealedLog(LOG.leaves, "example.org/audit.log/p8/e1")
    with litewitness(tmp_path / "up", "witness.example/up", b"\x03" * 32) as up:
        up.knows(log.signer.vkey)
        with litewitness(tmp_path / "down", "witness.example/down", b"\x04" * 32) as down:
            down.knows(log.signer.vkey)
            port = int(down.url.rpartition(":")[2])
        witnessing = _witnessing([up, down], 2)
        witnessing.offer(_tree(log, 100))
        refused = Unavailable(Trouble.UNREACHABLE)
        first = _until(witnessing, lambda happened: {refused, Cosigned} <= {_kind(each) for each in happened})
        assert not any(each.enough for each in first)
        with litewitness(tmp_path / "down", "witness.example/down", b"\x04" * 32, port):
            _until(witnessing, lambda happened: any(each.enough for each in happened))
        witnessing.stop()
