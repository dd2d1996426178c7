"""Everything `make test` checks, stage by stage: `python -m tests.support.run_all [--only STAGE]... [--list]`.

Rules: every stage runs, also after a failure; a stage that fails, hangs past its limit or dies makes the exit code 1.
A stage's limit only ends what hangs: a single test has its own (`timeout` in pyproject.toml); a slow machine passes.
The last line is `N passed, N failed, N skipped` over all stages, where a stage that is no test run counts as one. What
a machine lacks is said once more at the end, one line a tool; `TAMIS_REQUIRE` (see `requirements`) makes it a failure.
Real Kafka runs in one process: brokers are shared by the session, and a second set of them would starve two cores.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
COUNT = re.compile(r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed)\b")
CLOSING = re.compile(r"^=* ?(?:\d+ \w+(?:, )?)+ in [\d.]+s.*$|^no tests ran in .*$")
MISSING = re.compile(r"MISSING ([A-Z][A-Z0-9_-]*): (.+)")
MINUTE_S = 60
GRACE_S = 60
# A wait that ran out (`patience`) is tried once more, and counted as a rerun: the machine was busy, or the test is bad.
# Any other failure, a wrong result above all, stays one.
ONCE_MORE = ("--reruns", "1", "--only-rerun", "^TimeoutError: waited")


@dataclass(frozen=True)
class Stage:
    """One thing to run.

    Attributes:
        name: for `--only`.
        title: heading.
        command: program and arguments; for a test run what follows `pytest`.
        folders: of a test run, under `tests`; those without tests are left out.
        limit_s: it is ended after so long.
    """

    name: str
    title: str
    command: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    limit_s: int = 10 * MINUTE_S


@dataclass
class Result:
    """What a stage gave."""

    stage: Stage
    code: int = 0
    seconds: float = 0.0
    closing: str = ""
    counts: dict[str, int] = field(default_factory=lambda: {"passed": 0, "failed": 0, "skipped": 0})
    missing: set[tuple[str, str]] = field(default_factory=set)


STAGES = (
    Stage("ruff", "lint", (f"{BIN}/ruff", "check", ".")),
    Stage("format", "format", (f"{BIN}/ruff", "format", "--check", ".")),
    Stage("imports", "layers: dependencies point down", (f"{BIN}/lint-imports",)),
    Stage("types", "types", (f"{BIN}/mypy",)),
    Stage(
        "pure",
        "pure: no broker, no network",
        ("-n", "2"),
        ("unit", "property", "vectors", "contract", "architecture", "agents"),
    ),
    Stage("embedded", "on the embedded broker", ONCE_MORE, ("embedded",)),
    Stage("kafka", "on a real Kafka", ("--durations=15", *ONCE_MORE), ("integration",), 45 * MINUTE_S),
    Stage("outside", "with tools from outside", ONCE_MORE, ("outside",)),
    Stage("e2e", "as a user would run it", ONCE_MORE, ("e2e",)),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chosen stages and give the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.run_all")
    parser.add_argument("--only", action="append", choices=[stage.name for stage in STAGES], metavar="STAGE")
    parser.add_argument("--list", action="store_true", help="print the stages")
    chosen = parser.parse_args(arguments)
    if chosen.list:
        print("\n".join(f"{stage.name:10} {stage.title}" for stage in STAGES))
        return 0
    results = [run(stage) for stage in STAGES if chosen.only is None or stage.name in chosen.only]
    return close(results)


def run(stage: Stage) -> Result:
    """Run one stage, showing what it prints as it comes."""
    command = command_of(stage)
    print(f"\n--- {stage.name}: {stage.title}", flush=True)
    if not command:
        print("no tests here", flush=True)
        return Result(stage, closing="no tests here")
    started, result = time.monotonic(), Result(stage)
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        timers = _limits(process, stage)
        try:
            assert process.stdout is not None
            for line in process.stdout:
                print(line, end="", flush=True)
                read(line.rstrip(), result)
        except BaseException:
            os.kill(process.pid, signal.SIGINT)
            raise
        finally:
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            for timer in timers:
                timer.cancel()
            _end_group(process.pid)
    result.code, result.seconds = process.returncode, time.monotonic() - started
    settle(result)
    print(f"--- {stage.name}: {'ok' if result.code == 0 else 'FAILED'} in {result.seconds:.1f} s", flush=True)
    return result


def command_of(stage: Stage) -> list[str]:
    """The command line; empty when a test run has no tests."""
    if not stage.folders:
        return list(stage.command)
    folders = [f"tests/{name}" for name in stage.folders if any((ROOT / "tests" / name).rglob("test_*.py"))]
    if not folders:
        return []
    return [sys.executable, "-m", "pytest", "-q", "-m", "not chaos", *stage.command, *folders]


def read(line: str, result: Result) -> None:
    """Take counts and missing tools from one line of output."""
    if result.stage.folders and CLOSING.match(line):
        result.closing = line.strip("= ")
        result.counts = {"passed": 0, "failed": 0, "skipped": 0}
        for number, what in COUNT.findall(line):
            kind = "failed" if what in {"failed", "error", "errors", "xpassed"} else what.removeprefix("x")
            result.counts["skipped" if what == "xfailed" else kind] += int(number)
    elif found := MISSING.search(line):
        result.missing.add((found[1].lower(), found[2]))


def settle(result: Result) -> None:
    """Make counts and exit code agree: a stage that failed counts at least one failure."""
    if not result.stage.folders and result.code == 0:
        result.counts["passed"] = 1
        result.closing = "ok"
    if result.code != 0 and not result.counts["failed"]:
        result.counts["failed"] = 1
        result.closing = f"{result.closing} FAILED (exit code {result.code})".strip()


def close(results: Sequence[Result]) -> int:
    """Print the summary; 1 when anything failed."""
    print("\n--- summary")
    for result in results:
        print(f"{result.stage.name:10} {result.seconds:7.1f} s  {result.closing}")
    for tool, lack in sorted(set().union(*(result.missing for result in results))):
        print(f"SKIPPED {tool}: {lack}")
    total = {kind: sum(result.counts[kind] for result in results) for kind in ("passed", "failed", "skipped")}
    print(f"\n{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped", flush=True)
    return 1 if total["failed"] else 0


def _limits(process: subprocess.Popen[str], stage: Stage) -> list[threading.Timer]:
    """At its limit a stage is interrupted, so that it puts its brokers away; a grace later it is ended for good."""

    def interrupt() -> None:
        print(f"--- {stage.name}: ended after its limit of {stage.limit_s} s", flush=True)
        os.kill(process.pid, signal.SIGINT)

    timers = [
        threading.Timer(stage.limit_s, interrupt),
        threading.Timer(stage.limit_s + GRACE_S, _end_group, (process.pid,)),
    ]
    for timer in timers:
        timer.start()
    return timers


def _end_group(group: int) -> None:
    """End what the stage left behind; its leader is not reaped yet, so the id is still the stage's own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
