"""The systemd unit parses, is hardened, and agrees with the code."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tamis.services.watch.endpoints import addresses
from tamis.settings import SetupError
from tamis.settings_loader import load_settings
from tests.support.command_lines import problem
from tests.support.requirements import require

FOLDER = Path(__file__).resolve().parents[3] / "deploy/systemd"
UNIT, SEALER = FOLDER / "tamis.service", FOLDER / "tamis-sealer.service"
UNITS = pytest.mark.parametrize("unit", [UNIT, SEALER], ids=lambda unit: unit.stem)


def values(name: str, unit: Path = UNIT) -> list[str]:
    lines = [line.partition("=") for line in unit.read_text().splitlines() if not line.startswith("#")]
    return [value for key, equals, value in lines if equals and key == name]


@UNITS
def test_systemd_accepts_it(unit: Path, tmp_path: Path) -> None:
    require("systemd-analyze")
    # the program is not installed where the unit says; any program that exists will do for the check
    copy = tmp_path / unit.name
    copy.write_text(unit.read_text().replace("/opt/tamis/bin/tamis", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.returncode == 0


@UNITS
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
def test_it_is_hardened(unit: Path, name: str, value: str) -> None:
    assert values(name, unit) == [value]


@UNITS
def test_its_command_exists(unit: Path) -> None:
    (command,) = values("ExecStart", unit)
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


@UNITS
def test_a_wrong_configuration_is_not_started_again(unit: Path) -> None:
    assert values("RestartPreventExitStatus", unit) == [str(SetupError.exit_code)]


def test_the_sealer_has_its_own_state_and_keys_and_not_the_root_key() -> None:
    environ = dict(entry.split("=", 1) for entry in values("Environment", SEALER))
    settings = load_settings(str(UNIT.with_name("tamis.toml")), environ=environ).settings
    (credential,) = values("LoadCredential", SEALER)
    assert settings.sealer.key_file == "%d/" + credential.split(":")[0]
    assert values("StateDirectory", SEALER) != values("StateDirectory")
    assert not any("keys.json:" in each and "sealer" not in each for each in values("LoadCredential", SEALER))
    workers = load_settings(str(UNIT.with_name("tamis.toml")), environ={}).settings
    last = addresses(workers)[-1].port
    assert settings.telemetry.port == last, "where tamis watch looks for it"


def test_systemd_waits_longer_than_the_supervisor_drains() -> None:
    (patience,) = values("TimeoutStopSec")
    assert int(patience) > load_settings(environ={}).settings.worker.drain_grace_s + 10
    assert values("KillMode") == ["mixed"]
