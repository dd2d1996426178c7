"""Runs the replica and the workers of this host as child processes and keeps them running.

Rules: an ended child is started again as ``restarts`` says; when one is given up, all are ended and the reason is the
last line; SIGTERM and SIGINT drain: workers first, the replica they read last, each asked (TERM), waited for, then
killed. Children die with the supervisor even when that is killed (see ``parent``). It looks at nothing but whether a
process runs: watching for one that hangs is the worker's own duty.
"""

import contextlib
import selectors
import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import BinaryIO

import msgspec

from tamis.services.child import Child, ProcessSpec, own_line
from tamis.services.restarts import GiveUp, RestartPolicy, RestartState
from tamis.settings import Settings

_LONGEST_SLEEP_S = 1.0
_KILL_WAIT_S = 5.0
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def host_processes(settings: Settings, workers: int, settings_file: str | None) -> tuple[ProcessSpec, ...]:
    """The processes of one host: the replica, the workers, the sealer, each with a metrics port of its own.

    Args:
        settings: what they will read too.
        workers: how many.
        settings_file: passed on, so that they do.
    """
    tamis = (sys.executable, "-m", "tamis.cli.main", *(("--settings", settings_file) if settings_file else ()))

    def spec(label: str, index: int, rank: int, *command: str) -> ProcessSpec:
        port = settings.telemetry.port
        ports = {"TAMIS_TELEMETRY__PORT": str(port + index)} if port else {}
        return ProcessSpec(label=label, command=(*tamis, *command), environ=ports, drain_rank=rank)

    replica = spec("replica", 0, 1, "replica")
    sealer = [spec("sealer", workers + 1, 1, "sealer")] if settings.sealer.enabled else []
    return replica, *(spec(f"worker-{n}", n, 0, "worker", "--role", "all") for n in range(1, workers + 1)), *sealer


def restart_policy(settings: Settings) -> RestartPolicy:
    """The policy the settings ask for."""
    worker = settings.worker
    return RestartPolicy(
        first_s=worker.restart_first_s,
        max_s=worker.restart_max_s,
        crash_limit=worker.crash_limit,
        window_s=worker.crash_window_s,
    )


class _Slot(msgspec.Struct):
    spec: ProcessSpec
    restarts: RestartState
    child: Child | None = None
    start_at: float = 0.0


class Supervisor:
    """Keeps processes running until told to stop or one is given up.

    Args:
        specs: what to run.
        policy: when to start again.
        drain_grace_s: from TERM to KILL.
        out: where the lines of all processes go.
        as_json: whether the supervisor's own lines are JSON too.
    """

    def __init__(
        self,
        specs: Sequence[ProcessSpec],
        policy: RestartPolicy,
        *,
        drain_grace_s: float,
        out: BinaryIO,
        as_json: bool = False,
    ) -> None:
        self._slots = [_Slot(spec, RestartState(policy)) for spec in specs]
        self._drain_grace_s = drain_grace_s
        self._out = out
        self._as_json = as_json
        self._stopped_by: signal.Signals | None = None
        self._selector = selectors.DefaultSelector()

    def run(self) -> GiveUp | None:
        """Run until a stop signal (None) or until a process is given up; call it from the main thread, once."""
        gave_up: GiveUp | None = None
        with self._signals():
            try:
                while gave_up is None and self._stopped_by is None:
                    gave_up = self._turn()
            finally:
                self._drain()
        self._say(f"giving up: {gave_up.reason}" if gave_up else "drained")
        return gave_up

    def _turn(self) -> GiveUp | None:
        now = time.monotonic()
        for slot in self._slots:
            if slot.child is None and slot.start_at <= now:
                self._start(slot)
        waiting = [slot.start_at - now for slot in self._slots if slot.child is None]
        self._forward(min([_LONGEST_SLEEP_S, *waiting]))
        for slot in self._slots:
            if gave_up := self._look(slot):
                return gave_up
        return None

    def _start(self, slot: _Slot) -> None:
        slot.child = Child(slot.spec, self._out)
        self._selector.register(slot.child.pipe, selectors.EVENT_READ, slot.child)
        self._say(f"{slot.spec.label} started, process {slot.child.pid}")

    def _look(self, slot: _Slot) -> GiveUp | None:
        code = slot.child.exit_code() if slot.child else None
        if code is None:
            return None
        self._forget(slot)
        now = time.monotonic()
        verdict = slot.restarts.ended(code, now)
        if isinstance(verdict, GiveUp):
            return GiveUp(verdict.exit_code, f"{slot.spec.label} {verdict.reason}")
        slot.start_at = now + verdict.wait_s
        self._say(f"{slot.spec.label} ended with {code}; next start in {verdict.wait_s:g} s")
        return None

    def _forward(self, timeout_s: float) -> None:
        for key, _ in self._selector.select(max(timeout_s, 0.0)):
            if isinstance(key.data, Child):
                if not key.data.forward():
                    self._selector.unregister(key.fileobj)
            else:
                key.data.recv(4_096)

    def _forget(self, slot: _Slot) -> None:
        assert slot.child is not None
        with contextlib.suppress(KeyError):
            self._selector.unregister(slot.child.pipe)
        slot.child.close()
        slot.child = None

    def _drain(self) -> None:
        if self._stopped_by is not None:
            self._say(f"{self._stopped_by.name}: draining")
        deadline = time.monotonic() + self._drain_grace_s
        for rank in sorted({slot.spec.drain_rank for slot in self._slots}):
            slots = [slot for slot in self._slots if slot.spec.drain_rank == rank]
            self._end(slots, signal.SIGTERM, deadline)
            for slot in slots:
                if slot.child is not None:
                    self._say(f"{slot.spec.label} did not end in {self._drain_grace_s:g} s: killed")
            self._end(slots, signal.SIGKILL, time.monotonic() + _KILL_WAIT_S)

    def _end(self, slots: Sequence[_Slot], number: signal.Signals, deadline: float) -> None:
        for slot in slots:
            if slot.child is not None:
                slot.child.signal(number)
        while any(slot.child for slot in slots):
            for slot in slots:
                if slot.child is not None and slot.child.exit_code() is not None:
                    self._forget(slot)
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return
            if any(slot.child for slot in slots):
                self._forward(min(remaining, _LONGEST_SLEEP_S))

    def _stop(self, number: int, frame: FrameType | None) -> None:
        del frame
        self._stopped_by = signal.Signals(number)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Signals, the end of a child among them, wake the selector; afterwards all is as it was before."""
        reader, writer = socket.socketpair()
        for end in (reader, writer):
            end.setblocking(False)
        handlers = {number: signal.signal(number, self._stop) for number in _STOP_SIGNALS}
        handlers[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        self._selector.register(reader, selectors.EVENT_READ, reader)
        try:
            yield
        finally:
            signal.set_wakeup_fd(before)
            for number, handler in handlers.items():
                signal.signal(number, handler)
            self._selector.close()
            reader.close()
            writer.close()

    def _say(self, message: str) -> None:
        self._out.write(own_line("supervisor", message, as_json=self._as_json))
        self._out.flush()
