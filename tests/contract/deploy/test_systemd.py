"""The systemd unit parses, is hardened, and agrees with the code."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tamis.settings import SetupError
from tamis.settings_loader import load_settings
from tests.support.command_lines import problem
from tests.support.requirements import require

UNIT = Path(__file__).resolve().parents[3] / "deploy/systemd/tamis.service"
LINES = [line for line in UNIT.read_text().splitlines() if "=" in line and not line.startswith("#")]


def values(name: str) -> list[str]:
    return [line.partition("=")[2] for line in LINES if line.partition("=")[0] == name]


def test_systemd_accepts_it(tmp_path: Path) -> None:
    require("systemd-analyze")
    # the program is not installed where the unit says; any program that exists will do for the check
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace("/opt/tamis/bin/tamis", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("DynamicUser", "yes"),
        ("CapabilityBoundingSet", ""),
        ("StateDirectoryMode", "0700"),
        ("UMask", "0077"),
    ],
)
def test_it_is_hardened(name: str, value: str) -> None:
    assert values(name) == [value]


def test_its_command_exists() -> None:
    (command,) = values("ExecStart")
    program, *words = command.split()
    assert program == "/opt/tamis/bin/tamis"
    assert problem(words) is None


def test_its_environment_is_valid_settings() -> None:
    environ = dict(entry.split("=", 1) for entry in values("Environment"))
    settings = load_settings(environ=environ).settings
    (credential,) = values("LoadCredential")
    assert settings.keys.file == "%d/" + credential.split(":")[0]
    (state,) = values("StateDirectory")
    assert settings.paths.state_dir == f"%S/{state}"


def test_its_settings_file_is_valid() -> None:
    settings = load_settings(str(UNIT.with_name("tamis.toml")), environ={}).settings
    assert settings.rules.folder == "/etc/tamis/config/reference"


def test_a_wrong_configuration_is_not_started_again() -> None:
    assert values("RestartPreventExitStatus") == [str(SetupError.exit_code)]


def test_systemd_waits_longer_than_the_supervisor_drains() -> None:
    (patience,) = values("TimeoutStopSec")
    assert int(patience) > load_settings(environ={}).settings.worker.drain_grace_s + 10
    assert values("KillMode") == ["mixed"]
