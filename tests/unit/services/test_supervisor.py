"""The supervisor with real child processes: restarts, giving up, draining, and its own violent death."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tamis.services.child import ProcessSpec, labelled
from tamis.services.restarts import GiveUp, RestartPolicy
from tamis.services.supervisor import Supervisor, host_processes, restart_policy
from tamis.settings import Settings, TelemetrySettings
from tamis.settings_audit import SealerSettings
from tests.support.patience import Deadline

if TYPE_CHECKING:
    from collections.abc import Callable

POLICY = RestartPolicy(first_s=0.05, max_s=0.2, crash_limit=3, window_s=60.0)
OBEDIENT = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("up", flush=True)
while True:
    signal.pause()
"""
DEAF = OBEDIENT.replace("lambda *_: sys.exit(0)", "signal.SIG_IGN")
BOUND = """
import os, time
from tamis.services.parent import die_with_parent
die_with_parent(os.environ)
print("up", flush=True)
time.sleep(600)
"""
DEADLINE_S = 30.0


def _spec(label: str, code: str, rank: int = 0) -> ProcessSpec:
    return ProcessSpec(label=label, command=(sys.executable, "-c", code), environ={"MARK": label}, drain_rank=rank)


def _supervise(out: io.BytesIO, *specs: ProcessSpec, grace_s: float = 20.0) -> GiveUp | None:
    return Supervisor(specs, POLICY, drain_grace_s=grace_s, out=out).run()


def _until(condition: Callable[[], bool]) -> None:
    deadline = Deadline(DEADLINE_S)
    while not condition():
        deadline.check()
        time.sleep(0.02)


def _when(condition: Callable[[], bool], number: signal.Signals = signal.SIGTERM) -> threading.Thread:
    """Send this process a signal once the condition holds (or its time is up)."""

    def wait() -> None:
        try:
            _until(condition)
        finally:
            os.kill(os.getpid(), number)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def _gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_drains_workers_first_and_the_replica_last(number: signal.Signals) -> None:
    out = io.BytesIO()
    code = OBEDIENT.replace("sys.exit(0)", "(print('bye', flush=True), sys.exit())")
    thread = _when(lambda: out.getvalue().count(b"| up") == 3, number)
    ended = _supervise(out, _spec("replica", code, 1), _spec("worker-1", code), _spec("worker-2", code))
    thread.join()
    lines = out.getvalue().decode().splitlines()
    assert ended is None
    assert lines[-1] == "supervisor | drained"
    assert lines[-2] == "replica | bye"
    assert {"worker-1 | bye", "worker-2 | bye"} <= set(lines)
    assert f"supervisor | {number.name}: draining" in lines


def test_an_ended_child_is_started_again_with_its_environment() -> None:
    out = io.BytesIO()
    thread = _when(lambda: out.getvalue().count(b"w | w") == 2)
    assert _supervise(out, _spec("w", "import os; print(os.environ['MARK'])")) is None
    thread.join()
    assert "supervisor | w ended with 0; next start in 0.05 s" in out.getvalue().decode()


def test_a_crash_loop_is_given_up_and_the_others_are_drained() -> None:
    out = io.BytesIO()
    ended = _supervise(out, _spec("good", OBEDIENT), _spec("bad", "raise SystemExit(9)"))
    text = out.getvalue().decode()
    assert ended == GiveUp(70, "bad crashed 3 times within 60 s, at last with 9")
    assert text.count("bad started") == 3
    assert text.splitlines()[-1] == f"supervisor | giving up: {ended.reason}"
    good = int(text.split("good started, process ")[1].split()[0])
    assert _gone(good)


def test_wrong_configuration_is_not_tried_again() -> None:
    out = io.BytesIO()
    assert _supervise(out, _spec("w", "print('error: no topics'); raise SystemExit(2)")) == GiveUp(
        2, "w refused its configuration"
    )
    assert out.getvalue().count(b"w started") == 1
    assert b"w | error: no topics\n" in out.getvalue()


def test_a_child_that_ignores_the_request_is_killed_after_the_grace() -> None:
    out = io.BytesIO()
    thread = _when(lambda: b"| up" in out.getvalue())
    assert _supervise(out, _spec("w", DEAF), grace_s=0.3) is None
    thread.join()
    assert b"w did not end in 0.3 s: killed" in out.getvalue()


def test_children_die_when_the_supervisor_is_killed() -> None:
    code = f"""
import sys
from tamis.services.supervisor import Supervisor
from tamis.services.child import ProcessSpec
from tamis.services.restarts import RestartPolicy
spec = ProcessSpec(label="w", command=(sys.executable, "-c", {BOUND!r}), environ={{}})
policy = RestartPolicy(first_s=1, max_s=1, crash_limit=5, window_s=60)
Supervisor([spec], policy, drain_grace_s=5, out=sys.stdout.buffer).run()
"""
    supervisor = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert supervisor.stdout is not None
    try:
        pid = int(supervisor.stdout.readline().rpartition(" ")[2])
        assert supervisor.stdout.readline() == "w | up\n"
        assert not _gone(pid)
    finally:
        supervisor.kill()
        supervisor.wait()
        supervisor.stdout.close()
    _until(lambda: _gone(pid))


def test_a_child_whose_parent_died_before_it_started_ends_too() -> None:
    environ = {**os.environ, "TAMIS_PARENT_PID": "1234567"}
    done = subprocess.run([sys.executable, "-c", BOUND], env=environ, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL
    assert done.stdout == b""


def test_signal_handlers_are_put_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)]
    _supervise(io.BytesIO(), _spec("w", "raise SystemExit(2)"))
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)] == before


def test_json_lines_stay_json() -> None:
    assert json.loads(labelled("w", b'{"event":"x"}')) == {"process": "w", "event": "x"}
    assert labelled("w", b"{}") == b"w | {}\n"
    assert labelled("w", b"plain") == b"w | plain\n"


def test_supervisor_lines_are_json_when_asked() -> None:
    out = io.BytesIO()
    Supervisor([_spec("w", "raise SystemExit(2)")], POLICY, drain_grace_s=1, out=out, as_json=True).run()
    assert [json.loads(line)["process"] for line in out.getvalue().splitlines()] == ["supervisor", "supervisor"]


def test_a_last_line_without_end_is_passed_on() -> None:
    out = io.BytesIO()
    _supervise(out, _spec("w", "print('half', end=''); raise SystemExit(2)"))
    assert b"w | half\n" in out.getvalue()


def test_the_processes_of_a_host_have_ports_of_their_own() -> None:
    specs = host_processes(Settings(telemetry=TelemetrySettings(port=9_400)), 2, "tamis.toml")
    assert [spec.label for spec in specs] == ["replica", "worker-1", "worker-2", "sealer"]
    assert [spec.environ["TAMIS_TELEMETRY__PORT"] for spec in specs] == ["9400", "9401", "9402", "9403"]
    assert specs[0].command[1:] == ("-m", "tamis.cli.main", "--settings", "tamis.toml", "replica")
    assert specs[2].command[-3:] == ("worker", "--role", "all")
    assert specs[0].drain_rank > specs[1].drain_rank
    assert host_processes(Settings(), 1, None)[0].environ == {}
    quiet = Settings(sealer=SealerSettings(enabled=False))
    assert [spec.label for spec in host_processes(quiet, 1, None)] == ["replica", "worker-1"]


def test_the_policy_comes_from_the_settings() -> None:
    assert restart_policy(Settings()) == RestartPolicy(first_s=0.5, max_s=30.0, crash_limit=5, window_s=60.0)
