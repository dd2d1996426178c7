"""Each dependency has its line of why, and no line is left of a dependency that is gone."""

from __future__ import annotations

import re
import tomllib

from tests.support.pages import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PAGE = (ROOT / "docs/dependencies.md").read_text()


def _name(requirement: str) -> str:
    return re.split(r"[<>=!~\[ ;]", requirement)[0]


def test_every_dependency_has_a_reason_and_every_reason_a_dependency() -> None:
    extras = [name for group in PROJECT["optional-dependencies"].values() for name in group]
    wanted = {_name(requirement) for requirement in [*PROJECT["dependencies"], *extras]}
    listed = dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", PAGE, re.MULTILINE))
    assert set(listed) == wanted
    assert all(len(reason) > 10 for reason in listed.values())


def test_exact_pins_are_explained() -> None:
    for requirement in PROJECT["dependencies"]:
        if "==" in requirement:
            line = next(line for line in PAGE.splitlines() if line.startswith(f"| `{_name(requirement)}`"))
            assert "Exact version" in line
