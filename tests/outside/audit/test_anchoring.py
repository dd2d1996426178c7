"""Anchoring a folder against a real authority over HTTP: what is written, retried, refused."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tamis.domain.audit.timestamp import trusted_certificates
from tamis.services.anchor_check import AnchorCheck
from tamis.services.anchoring import Anchoring
from tamis.services.stamping import Stamper, StampError
from tamis.settings import SetupError
from tamis.stores.sealed_folder import SealedFolder
from tests.support.patience import Deadline
from tests.support.requirements import require
from tests.support.sealed import SealedLog
from tests.support.sealed_folder import write_log
from tests.support.sealed_prod import KEY, prod_log
from tests.support.tsa import Authority, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LIMIT_S = 60.0


class Told:
    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.faults: list[str] = []
        self.now = 0.0

    def anchored(self, number: int) -> None:
        self.numbers.append(number)

    def not_anchored(self, why: str) -> None:
        self.faults.append(why)

    def clock(self) -> float:
        return self.now


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    require("openssl")
    with serving(Authority(tmp_path / "tsa")) as running:
        yield running


def _stamper(authority: Authority, *before: str) -> Stamper:
    return Stamper([*before, authority.url], trusted_certificates(authority.root.read_bytes()), 20)


def _anchoring(root: Path, authority: Authority, told: Told) -> Anchoring:
    return Anchoring(root, _stamper(authority).stamp, 600, told.clock, told)


def _until(anchoring: Anchoring, done: Callable[[], bool]) -> None:
    deadline = Deadline(LIMIT_S)
    while not done():
        deadline.check()
        anchoring.step()
        time.sleep(0.01)


def test_a_growing_folder_is_anchored_at_the_interval_and_goes_on_after_a_restart(
    authority: Authority, tmp_path: Path
) -> None:
    root, told, logs = tmp_path / "logs", Told(), [prod_log(0, 300), prod_log(1, 200)]
    write_log(root, SealedLog(logs[0].leaves[:100], logs[0].origin))
    anchoring = _anchoring(root, authority, told)
    _until(anchoring, lambda: told.numbers == [1])
    write_log(root, logs[0])
    write_log(root, logs[1])
    anchoring.step()
    assert authority.asked == 1, "not before the interval"
    told.now = 601
    _until(_anchoring(root, authority, told), lambda: told.numbers == [1, 2])
    told.now = 1300
    restarted = _anchoring(root, authority, told)
    restarted.step()
    restarted.step()
    assert authority.asked == 2, "nothing changed"
    report = AnchorCheck(SealedFolder(root), [KEY], trusted_certificates(authority.root.read_bytes())).run()
    assert report.ok, report.failures
    assert report.covered == {logs[0].origin: 300, logs[1].origin: 200}


def test_a_failing_authority_is_asked_again_and_leaves_nothing_behind(authority: Authority, tmp_path: Path) -> None:
    root, told = tmp_path / "logs", Told()
    write_log(root, prod_log(0, 10))
    anchoring = _anchoring(root, authority, told)
    for number, bend in enumerate((lambda _: (503, b""), lambda body: (200, body[:-1]), lambda body: (200, b"x")), 1):
        authority.bend = bend
        _until(anchoring, lambda number=number: len(told.faults) == number)  # type: ignore[misc]
        asked = authority.asked
        anchoring.step()
        assert authority.asked == asked, "it waits"
        told.now += 100
    assert not (root / "anchors").exists()
    authority.bend = None
    _until(anchoring, lambda: told.numbers == [1])


def test_the_next_authority_is_asked_when_one_fails(authority: Authority, tmp_path: Path) -> None:
    with serving(Authority(tmp_path / "other")) as other:
        assert _stamper(authority, other.url).stamp(b"text")
        assert (other.asked, authority.asked) == (1, 1)
    with pytest.raises(StampError, match=r"authority 1: no answer: ConnectionRefusedError"):
        Stamper([other.url], trusted_certificates(authority.root.read_bytes()), 5).stamp(b"text")


def test_a_folder_rolled_back_behind_its_anchors_is_a_fault(authority: Authority, tmp_path: Path) -> None:
    root, told, log = tmp_path / "logs", Told(), prod_log(0, 300)
    write_log(root, log)
    _until(_anchoring(root, authority, told), lambda: told.numbers == [1])
    write_log(root, SealedLog(log.leaves[:200], log.origin))
    with pytest.raises(SetupError, match=r"shrinks from 300 to 200.*rolled back"):
        _anchoring(root, authority, told).step()


def test_an_old_answer_is_not_believed_again(authority: Authority) -> None:
    first = _stamper(authority)
    old = first.stamp(b"text")
    authority.bend = lambda _: (200, old)
    with pytest.raises(StampError, match="Nonce"):
        first.stamp(b"text")
