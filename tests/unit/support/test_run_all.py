"""The runner's verdict: what it counts, and that nothing that went wrong ends in exit code 0."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import run_all
from tests.support.run_all import ONCE_MORE, STAGES, Result, Stage, close, main, read, run

TESTS = Stage("tests", "tests", (), ("unit",))


def _script(code: str, limit_s: int = 60) -> Stage:
    return Stage("script", "a script", (sys.executable, "-c", code), limit_s=limit_s)


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("12 passed in 3.20s", (12, 0, 0)),
        ("====== 1 failed, 2 passed, 3 skipped, 1 error in 61.00s (0:01:01) ======", (2, 2, 3)),
        ("5 passed, 1 xfailed, 1 xpassed, 4 warnings in 0.10s", (5, 1, 1)),
        ("no tests ran in 0.01s", (0, 0, 0)),
    ],
)
def test_a_closing_line_is_counted(line: str, counts: tuple[int, int, int]) -> None:
    result = Result(TESTS)
    read(line, result)
    assert tuple(result.counts.values()) == counts
    assert result.closing == line.strip("= ")


@pytest.mark.parametrize("line", ["3 passed, so far", "the 2 failed in the end", ""])
def test_other_lines_are_not(line: str) -> None:
    result = Result(TESTS)
    read(line, result)
    assert result.closing == ""


def test_what_is_missing_is_said_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    result = Result(TESTS)
    read("SKIPPED [3] tests/x.py:9: MISSING KAFKA: no Java 17 or newer on the PATH", result)
    assert close([result]) == 0
    assert "SKIPPED kafka: no Java 17 or newer on the PATH" in capsys.readouterr().out


def test_the_last_line_stands_alone_and_sums_all_stages(capsys: pytest.CaptureFixture[str]) -> None:
    one, other = Result(TESTS), Result(TESTS)
    read("3 passed in 1.00s", one)
    read("1 failed, 2 passed, 7 skipped in 1.00s", other)
    assert close([one, other]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "5 passed, 1 failed, 7 skipped"


def test_a_stage_without_tests_counts_as_one() -> None:
    assert run(_script("print('fine')")).counts == {"passed": 1, "failed": 0, "skipped": 0}
    assert run(_script("raise SystemExit(3)")).counts == {"passed": 0, "failed": 1, "skipped": 0}


def test_a_test_run_that_dies_without_a_count_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_all, "command_of", lambda _: [sys.executable, "-c", "import os; os.abort()"])
    assert run(TESTS).counts["failed"] == 1


def test_a_stage_past_its_limit_is_interrupted_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    code = "import threading\ntry: threading.Event().wait()\nexcept KeyboardInterrupt: print('put away'); raise"
    assert run(_script(code, limit_s=2)).counts["failed"] == 1
    assert "put away" in capsys.readouterr().out


def test_the_stages_can_be_listed_and_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [stage.name for stage in STAGES]
    with pytest.raises(SystemExit):
        main(["--only", "nothing"])


def test_every_folder_of_tests_belongs_to_one_stage() -> None:
    tests = Path(run_all.__file__).parents[1]
    folders = sorted(path.name for path in tests.iterdir() if any(path.rglob("test_*.py")) and path.name != "chaos")
    staged = [name for stage in STAGES for name in stage.folders]
    assert set(folders) <= set(staged)
    assert len(staged) == len(set(staged))


TRIED_TWICE = """
from tests.support.patience import Deadline
tries = []
def test_a_wait():
    tries.append(1)
    Deadline(-1 if len(tries) == 1 else 60).check("the answer")
def test_a_wrong_result():
    tries.append(1)
    assert len(tries) > 3, "wrong the first time"
"""


def test_only_a_wait_that_ran_out_is_tried_once_more(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TRIED_TWICE)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        *ONCE_MORE,
        "-c",
        os.devnull,
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=run_all.ROOT)
    assert "1 failed, 1 passed, 1 rerun in" in done.stdout
