"""Broken configurations: each file in broken/ marks, in comments, what must be said about which line, and nothing else.

A comment ``#! error: text`` expects an error in its line that begins with that text after the place.
"""

import shutil
from pathlib import Path

import pytest

from tamis.bundles.load import check_folder
from tests.support.bundles import CONFIG

BROKEN = Path(__file__).parent / "broken"
CASES = sorted(path.stem for path in BROKEN.glob("*.yaml"))
TARGET = {"rules": "rules.yaml", "destinations": "destinations.yaml", "policy": "policy.yaml"}


def expected(text: str) -> list[tuple[int, str]]:
    """(line, beginning of the message) of each mark."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        found += [(number, mark.strip()) for mark in line.split("#!")[1:]]
    return found


@pytest.mark.parametrize("case", CASES)
def test_exactly_the_marked_problems(case: str, tmp_path: Path) -> None:
    shutil.copytree(CONFIG / "minimal", tmp_path, dirs_exist_ok=True)
    target = TARGET[case.partition("-")[0]]
    text = (BROKEN / f"{case}.yaml").read_text()
    (tmp_path / target).write_text(text)
    checked = check_folder(tmp_path)
    assert checked.bundle is None
    left = [
        (problem.line, f"{problem.severity}: {problem.message}")
        for problem in checked.problems
        if problem.file == target
    ]
    missing = []
    for line, mark in expected(text):
        hit = next((said for said in left if said[0] == line and mark_fits(mark, said[1])), None)
        if hit is None:
            missing.append((line, mark))
        else:
            left.remove(hit)
    assert (missing, left) == ([], [])


def mark_fits(mark: str, said: str) -> bool:
    severity, _, text = mark.partition(": ")
    return said.startswith(f"{severity}: ") and text in said


def test_every_case_expects_something() -> None:
    assert len(CASES) > 10
    for case in CASES:
        assert expected((BROKEN / f"{case}.yaml").read_text()), case
