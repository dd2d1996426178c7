"""A new epoch: what changes, what stays, who may do it."""

from __future__ import annotations

import base64
import fcntl
import json
import os
from typing import TYPE_CHECKING

import pytest

from tamis.cli.main import main
from tamis.domain.epochs import Epochs
from tamis.keys.file import create_key_file, read_key_file
from tamis.keys.ring import FORMAT, KeyRing, RootEntry
from tamis.keys.rotation import after_incident, rotate_key_file, rotated
from tamis.keys.watched import WatchedKeys
from tamis.settings import SetupError

if TYPE_CHECKING:
    from pathlib import Path

NOW, DAY = 1_795_000_000_000, 86_400_000
GOOD, OTHER = (bytes((n * a + n * n * b + 5) % 256 for n in range(32)) for a, b in ((37, 11), (91, 29)))


def entry(epoch: str, **more: int) -> RootEntry:
    return RootEntry(epoch=epoch, created_at=0, root=base64.b64encode(GOOD).decode(), **more)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    create_key_file(tmp_path / "keys.json", now_ms=0)
    return tmp_path / "keys.json"


def rotate(path: Path, *, at: int = NOW, overlap: int = 30 * DAY, incident: bool = False) -> KeyRing:
    return rotate_key_file(path, now_ms=at, overlap_ms=overlap, incident=incident)


def test_the_epoch_before_accompanies_the_new_one(path: Path) -> None:
    assert rotate(path).epochs() == Epochs("2", "1", NOW + 30 * DAY, ("1",))
    assert read_key_file(path).epochs() == Epochs("2", "1", NOW + 30 * DAY, ("1",))
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["keys.json"]


def test_without_an_overlap_nothing_accompanies_it(path: Path) -> None:
    assert rotate(path, overlap=0).epochs() == Epochs("2", "", 0, ("1",))


def test_an_incident_revokes_all_older_epochs_but_withdrawals_still_reach_them(path: Path) -> None:
    rotate(path)
    ring = rotate(path, at=NOW + DAY, incident=True)
    assert ring.epochs() == Epochs("3", "", 0, ("2", "1"))
    assert ring.epochs().live == ("3", "2", "1")
    assert [ring.state(root, NOW + DAY) for root in ring.roots] == ["revoked", "revoked", "current"]
    assert len({ring.derive(f"pseudonym/clean/{epoch}") for epoch in ring.epochs().live}) == 3


def test_exported_ids_stay_over_a_rotation_and_change_after_an_incident(path: Path) -> None:
    first = read_key_file(path)
    second, third = rotate(path), rotate(path, at=NOW + 1, incident=True)
    for label in ("event/clean", "proof/clean"):
        assert first.derive(label) == second.derive(label) != third.derive(label)
        assert third.derive_all(label)[0] == third.derive(label)
        assert first.derive(label) in third.derive_all(label)
        assert first.derive_all(label) == [first.derive(label)]
    for label in ("subject", "audit/eid", "quarantine/2026-11-25"):
        assert first.derive(label) == third.derive(label)


def test_states_follow_the_clock(path: Path) -> None:
    ring = rotate(path)
    states = [[ring.state(root, at) for root in ring.roots] for at in (NOW, NOW + 30 * DAY)]
    assert states == [["overlapping", "current"], ["retired", "current"]]


def test_a_rotation_during_an_overlap_ends_it() -> None:
    roots = rotated([entry("1", overlap_until=NOW + DAY), entry("2")], OTHER, now_ms=NOW, overlap_ms=5)
    assert [(root.epoch, root.overlap_until) for root in roots] == [("1", NOW), ("2", NOW + 5), ("3", 0)]


@pytest.mark.parametrize(("names", "new"), [(["1"], "2"), (["9", "4"], "10"), (["2026q1"], "2"), (["a", "7"], "8")])
def test_the_next_number_is_taken(names: list[str], new: str) -> None:
    roots = [entry(name) for name in names]
    assert rotated(roots, OTHER, now_ms=NOW, overlap_ms=0)[-1].epoch == new
    assert after_incident(roots, OTHER, now_ms=NOW)[-1].epoch == new


def test_an_incident_keeps_the_time_of_the_first_revocation() -> None:
    roots = after_incident([entry("1", revoked_at=7), entry("2")], OTHER, now_ms=NOW)
    assert [root.revoked_at for root in roots] == [7, NOW, 0]


def test_a_document_whose_current_root_is_revoked_is_refused(path: Path) -> None:
    document = json.loads(path.read_text())
    document["roots"][0]["revoked_at"] = NOW
    path.write_text(json.dumps(document))
    with pytest.raises(SetupError, match="revoked"):
        read_key_file(path)
    assert document["format"] == FORMAT


def test_a_file_that_cannot_be_used_is_left_alone(path: Path, tmp_path: Path) -> None:
    path.chmod(0o644)
    before = path.read_bytes()
    with pytest.raises(SetupError, match="chmod 600"):
        rotate(path)
    assert path.read_bytes() == before
    with pytest.raises(SetupError, match="tamis keys init"):
        rotate(tmp_path / "none.json")


def test_two_rotations_do_not_meet(path: Path) -> None:
    held = os.open(path, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        with pytest.raises(SetupError, match="somebody else"):
            rotate(path)
    finally:
        os.close(held)
    assert rotate(path).epochs().current == "2"


class TestWatched:
    """A worker's keys follow their file."""

    @pytest.fixture
    def moment(self) -> list[float]:
        return [0.0]

    @pytest.fixture
    def watched(self, path: Path, moment: list[float]) -> WatchedKeys:
        return WatchedKeys(path, lambda: read_key_file(path), 1.0, lambda: moment[0])

    def test_a_rotated_ring_is_taken_up(self, watched: WatchedKeys, path: Path, moment: list[float]) -> None:
        before = watched.newest()
        rotate(path)
        assert watched.newest() is before  # looked at a moment ago
        moment[0] = 2.0
        assert watched.newest() is not before
        assert watched.epochs() == Epochs("2", "1", NOW + 30 * DAY, ("1",))
        assert watched.derive("subject") == before.derive("subject")
        moment[0] = 4.0
        assert watched.newest() is watched.newest()

    def test_other_identities_are_a_fault(self, watched: WatchedKeys, path: Path, moment: list[float]) -> None:
        path.unlink()
        create_key_file(path, now_ms=0)
        moment[0] = 2.0
        with pytest.raises(SetupError, match="identities would change"):
            watched.newest()

    def test_an_epoch_that_was_taken_out_is_a_fault(self, path: Path, moment: list[float]) -> None:
        text = path.read_bytes()
        rotate(path)
        watched = WatchedKeys(path, lambda: read_key_file(path), 1.0, lambda: moment[0])
        path.write_bytes(text)
        moment[0] = 2.0
        with pytest.raises(SetupError, match="epoch 2 is gone"):
            watched.newest()

    @pytest.mark.parametrize("mode", [0o644, None])
    def test_a_file_that_is_gone_or_open_is_a_fault(
        self, watched: WatchedKeys, path: Path, moment: list[float], mode: int | None
    ) -> None:
        rotate(path)
        if mode is None:
            path.unlink()
        else:
            path.chmod(mode)
        moment[0] = 2.0
        with pytest.raises(SetupError):
            watched.newest()


def test_the_command_rotates_and_tells_no_material(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TAMIS_KEYS__FILE", str(path))
    assert main(["keys", "rotate", "--overlap-days", "7"]) == 0
    assert main(["keys", "list"]) == 0
    shown = capsys.readouterr().out
    assert "epoch 2" in shown
    assert "overlapping until" in shown
    assert main(["keys", "rotate", "--incident"]) == 0
    assert main(["keys", "list", "--json"]) == 0
    shown += capsys.readouterr().out
    rows = json.loads(shown.splitlines()[-1])
    assert [row["state"] for row in rows] == ["revoked", "revoked", "current"]
    assert all(root["root"] not in shown for root in json.loads(path.read_text())["roots"])
    assert main(["keys", "rotate", "--overlap-days", "-1"]) == 2
    monkeypatch.setenv("TAMIS_KEYS__PROVIDER", "environment")
    assert main(["keys", "rotate"]) == 2
    assert "--file" in capsys.readouterr().err
