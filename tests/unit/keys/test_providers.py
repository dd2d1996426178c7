"""Key files and the environment: who may read them, and that nothing is overwritten."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tamis.cli.main import main
from tamis.keys.environment import read_environment_keys
from tamis.keys.file import create_key_file, objection, read_key_file
from tamis.keys.provider import open_keys
from tamis.settings import KeysSettings, PathsSettings, Settings, SetupError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_new_file_is_private_and_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "keys.json"
    made = create_key_file(path, now_ms=1_700_000_000_000)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert read_key_file(path).derive("subject") == made.derive("subject")
    assert [entry.name for entry in path.parent.iterdir()] == ["keys.json"]


def test_two_files_have_different_keys(tmp_path: Path) -> None:
    one, two = (create_key_file(tmp_path / name, now_ms=0) for name in ("a", "b"))
    assert one.derive("subject") != two.derive("subject")
    assert one.roots[0].id != two.roots[0].id


def test_an_existing_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text("mine")
    with pytest.raises(SetupError, match="never overwritten"):
        create_key_file(path, now_ms=0)
    assert path.read_text() == "mine"
    assert [entry.name for entry in tmp_path.iterdir()] == ["keys.json"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_file_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "keys.json"
    create_key_file(path, now_ms=0)
    path.chmod(mode)
    with pytest.raises(SetupError, match="chmod 600"):
        read_key_file(path)


@pytest.mark.parametrize(
    ("mode", "owner", "accepted"),
    [
        (0o600, 10, True),
        (0o400, 10, True),
        (0o440, 10, False),
        (0o600, 11, False),
        (0o400, 0, True),
        (0o440, 0, True),
        (0o460, 0, False),
        (0o444, 0, False),
    ],
)
def test_what_a_platform_mounts_may_be_readable_by_a_group(mode: int, owner: int, accepted: bool) -> None:
    assert (objection(mode, owner=owner, user=10) is None) == accepted


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="tamis keys init"):
        read_key_file(tmp_path / "none.json")


def test_the_environment_gives_the_same_keys_and_forgets_them(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    made = create_key_file(path, now_ms=0)
    environ = {"TAMIS_KEYS": path.read_text()}
    assert read_environment_keys(environ).derive("subject") == made.derive("subject")
    assert environ == {}
    with pytest.raises(SetupError, match="TAMIS_KEYS is not set"):
        read_environment_keys(environ)


def test_settings_choose_the_provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = create_key_file(tmp_path / "keys.json", now_ms=0)
    by_file = Settings(paths=PathsSettings(state_dir=str(tmp_path)))
    assert open_keys(by_file).derive("subject") == made.derive("subject")
    monkeypatch.setenv("TAMIS_KEYS", (tmp_path / "keys.json").read_text())
    by_environment = Settings(keys=KeysSettings(provider="environment"))
    assert open_keys(by_environment).derive("subject") == made.derive("subject")


def test_the_command_makes_and_lists_without_material(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "keys.json"
    monkeypatch.setenv("TAMIS_KEYS__FILE", str(path))
    assert main(["keys", "list"]) == 2
    assert main(["keys", "init"]) == 0
    assert main(["keys", "init"]) == 2
    assert main(["keys", "list"]) == 0
    assert main(["keys", "list", "--json"]) == 0
    captured = capsys.readouterr()
    root = path.read_text().split('"root": "')[1].split('"')[0]
    assert root not in captured.out + captured.err
    assert read_key_file(path).roots[0].id in captured.out
