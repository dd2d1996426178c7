"""The lock files hold what pyproject.toml asks for, pinned, each with hashes."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.support.tree import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
WANTED = {
    "requirements.lock": [*PROJECT["dependencies"], *EXTRAS["build"]],
    "requirements-dev.lock": [*PROJECT["dependencies"], *EXTRAS["build"], *EXTRAS["dev"]],
}


def _name(requirement: str) -> str:
    """Normalised as in PEP 503."""
    return re.sub(r"[-_.]+", "-", re.split(r"[<>=!~\[ ;]", requirement)[0]).lower()


def _entries(file: str) -> list[tuple[str, str, str]]:
    """Name, version and the rest of each entry; a name comes twice when Python versions need different ones."""
    entries = re.split(r"\n(?=\S)", (ROOT / file).read_text())
    found = (re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)(.*)", entry, re.DOTALL) for entry in entries)
    return [(_name(match[1]), match[2], match[3]) for match in found if match]


def _names(file: str) -> set[str]:
    return {name for name, _, _ in _entries(file)}


@pytest.mark.parametrize("file", WANTED)
def test_every_dependency_is_locked(file: str) -> None:
    assert {_name(requirement) for requirement in WANTED[file]} <= _names(file)


@pytest.mark.parametrize("file", WANTED)
def test_every_locked_package_has_hashes_and_nothing_else_is_in_the_file(file: str) -> None:
    entries = _entries(file)
    assert [name for name, _, rest in entries if "--hash=sha256:" not in rest] == []
    lines = [line for line in (ROOT / file).read_text().splitlines() if line[:1] not in {"", "#", " "}]
    assert [line for line in lines if "==" not in line] == []
    assert len(lines) == len(entries)


def test_exact_versions_are_locked_as_asked() -> None:
    exact = {tuple(requirement.split("==")) for requirement in PROJECT["dependencies"] if "==" in requirement}
    assert exact
    assert exact <= {(name, version) for name, version, _ in _entries("requirements.lock")}


def test_what_runs_is_also_what_is_developed_with() -> None:
    run, develop = (
        {(name, version) for name, version, _ in _entries(file)}
        for file in ("requirements.lock", "requirements-dev.lock")
    )
    assert run <= develop
