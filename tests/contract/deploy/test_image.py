"""The Dockerfile agrees with the packaging: Python version, lock file, entry point, copied files, settings."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from tamis.settings_loader import load_settings
from tests.support.command_lines import problem

ROOT = Path(__file__).resolve().parents[3]
TEXT = re.sub(r"\s*\\\n\s*", " ", (ROOT / "deploy/Dockerfile").read_text())
LINES = [line for line in TEXT.splitlines() if line and not line.startswith("#")]
STAGES = TEXT.split("\nFROM ")[1:]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def instructions(word: str, stage: str = TEXT) -> list[str]:
    return [line.split(maxsplit=1)[1] for line in stage.splitlines() if line.split(maxsplit=1)[:1] == [word]]


def test_the_python_version_is_one_the_project_allows() -> None:
    (tag,) = re.findall(r"ARG PYTHON=(\d+\.\d+)-slim", TEXT)
    assert PROJECT["requires-python"] == f">={tag}"
    assert len(STAGES) == 2
    assert all(stage.startswith("python:${PYTHON}") for stage in STAGES)


def test_packages_come_from_the_lock_with_hashes() -> None:
    installs = [line for line in LINES if "pip install" in line]
    assert "--require-hashes -r requirements.lock" in installs[0]
    assert all("--require-hashes" in line or "--no-deps" in line for line in installs)
    assert "pip install" not in STAGES[1]


def test_the_final_stage_copies_nothing_but_the_result_and_the_configuration() -> None:
    assert instructions("COPY", STAGES[1]) == ["--from=build /opt/tamis /opt/tamis", "config /etc/tamis/config"]


@pytest.mark.parametrize("source", ["requirements.lock", "pyproject.toml", "README.md", "src", "config"])
def test_copied_files_exist_and_reach_the_build(source: str) -> None:
    assert (ROOT / source).exists()
    assert f"!{source}" in (ROOT / ".dockerignore").read_text().splitlines()
    assert any(source in copied for copied in instructions("COPY"))


def test_it_runs_as_nobody_special() -> None:
    (user,) = instructions("USER", STAGES[1])
    assert user == "10001:10001"
    assert TEXT.rindex("USER 10001") < TEXT.index("ENTRYPOINT")


def test_the_entry_point_is_the_installed_command() -> None:
    (entry,) = instructions("ENTRYPOINT")
    (command,) = instructions("CMD", TEXT[TEXT.index("ENTRYPOINT") :])
    assert json.loads(entry) == [next(iter(PROJECT["scripts"]))]
    assert problem(json.loads(command)) is None


def test_its_environment_is_valid_settings() -> None:
    environ = dict(re.findall(r"(TAMIS_[A-Z_]+)=(\S+)", " ".join(instructions("ENV"))))
    settings = load_settings(environ=environ).settings
    assert instructions("EXPOSE") == [str(settings.telemetry.port)]
    assert settings.paths.state_dir == instructions("VOLUME")[0] == instructions("WORKDIR", STAGES[1])[0]
    assert (ROOT / settings.rules.folder.removeprefix("/etc/tamis/")).is_dir()


def test_it_has_a_health_check_of_its_own_port() -> None:
    (check,) = instructions("HEALTHCHECK")
    assert "TAMIS_TELEMETRY__PORT" in check
