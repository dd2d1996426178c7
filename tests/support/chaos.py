"""Faults on purpose: supervised worker processes, a thread that hurts them and the brokers, and the read-back after.

    workers = Workers(lambda i: [sys.executable, "-m", "tests.support.copy_worker", job(i)], log)
    report = Chaos(kafka, workers, faults="kzgB", done=lambda: progress() >= n).run(2, timeout_s=120)

Faults, one letter each: `k` kill -9 a worker; `z` SIGSTOP, SIGCONT after `zombie_s` (longer than the session timeout,
so that it wakes as a zombie); `g` SIGTERM; `+` add a worker; `-` remove one with SIGTERM; `B` kill -9 a broker and
start it again; `C` the same to the broker that keeps the workers' group, `T` to the one that commits the transactions
of one of their producers; `R` restart all brokers one after the other. A worker that exits is started again at once, as
a supervisor would.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.kafka.coordinators import coordinator_of_group, coordinator_of_transactions

if TYPE_CHECKING:
    from tests.support.kafka.cluster import KafkaCluster

CHECKOUT = Path(__file__).resolve().parents[2]
STOP_SECONDS = 25.0
BROKER_DOWN_SECONDS = 4.0
MOST_EXITS = 60  # a crash loop, not a fault that was injected


class Workers:
    """Worker processes under supervision.

    Args:
        command: the command line of worker number i.
        log: file that gets what they print.
    """

    def __init__(self, command: Callable[[int], Sequence[str]], log: Path) -> None:
        self.log, self.exits = log, Counter[int]()
        self._command = command
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()
        self._started = 0

    def __len__(self) -> int:
        return len(self._running)

    def add(self) -> None:
        """Start one more worker."""
        with self._lock:
            self._spawn(self._started)
            self._started += 1

    def remove(self) -> None:
        """Let one worker drain and go."""
        with self._lock:
            _, process = self._running.popitem()
        _signal(process, signal.SIGTERM)
        _wait_or_kill(process)

    def hurt(self, number: int, rnd: random.Random) -> subprocess.Popen[bytes] | None:
        """Send a signal to a worker; returns it."""
        with self._lock:
            if not self._running:
                return None
            process = rnd.choice(list(self._running.values()))
        _signal(process, number)
        return process

    def restart_dead(self) -> None:
        """Start every worker again that has exited."""
        with self._lock:
            for i, process in list(self._running.items()):
                if process.poll() is not None:
                    self.exits[process.returncode] += 1
                    self._spawn(i)

    def stop(self) -> int:
        """Drain all; returns how many had to be killed."""
        with self._lock:
            processes = list(self._running.values())
            self._running.clear()
        for process in processes:
            _signal(process, signal.SIGCONT)
            _signal(process, signal.SIGTERM)
        return sum(_wait_or_kill(process) for process in processes)

    def _spawn(self, i: int) -> None:
        with self.log.open("ab") as log:
            self._running[i] = subprocess.Popen(
                list(self._command(i)),
                cwd=CHECKOUT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


@dataclass(slots=True)
class ChaosReport:
    """How a run went."""

    seconds: float
    finished: bool
    faults: list[str]
    exits: dict[int, int]
    hung: int
    longest_stall_s: float

    def check_finished(self, log: Path) -> None:
        """Nothing when all was done in time.

        Raises:
            TimeoutError: it was not; with the end of the workers' log.
        """
        if not self.finished:
            raise TimeoutError(f"waited {self.seconds:.0f} s, not finished: {self}\n{log.read_text()[-6000:]}")


@dataclass(slots=True)
class Chaos:
    """One run: workers, faults, and a measure of progress.

    Attributes:
        kafka: the cluster; its nodes are hurt by `B` and `R`.
        workers: the supervised workers.
        faults: letters, in order.
        progress: any number that grows while work is done.
        done: whether everything is processed.
        seed: makes the choice of victims and pauses repeatable.
        zombie_s: how long `z` freezes a worker, in seconds.
        gap_s: least and most time between faults, in seconds.
        applied: the faults that have happened, for others to watch.
        group: the workers' consumer group, for `C`.
        transactional_id: that of one of their producers, for `T`.
    """

    kafka: KafkaCluster
    workers: Workers
    faults: str
    progress: Callable[[], int]
    done: Callable[[], bool]
    seed: int = 1
    zombie_s: float = 9.0
    gap_s: tuple[float, float] = (1.0, 4.0)
    applied: list[str] = field(default_factory=list)
    group: str = ""
    transactional_id: str = ""
    _rnd: random.Random = field(init=False)
    _errors: list[Exception] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rnd = random.Random(self.seed)

    def run(self, workers: int, timeout_s: float) -> ChaosReport:
        """Start the workers, hurt them, wait until all is done, stop them.

        Raises:
            Exception: a fault could not be applied.
        """
        begin = time.monotonic()
        for _ in range(workers):
            self.workers.add()
        hurting = threading.Thread(target=self._hurt, daemon=True)
        try:
            finished, stall = self._watch(hurting, begin + timeout_s)
        finally:
            seconds = time.monotonic() - begin
            if hurting.ident is not None:
                hurting.join(60)
            hung = self.workers.stop()
        if self._errors:
            raise self._errors[0]
        return ChaosReport(seconds, finished, self.applied, dict(self.workers.exits), hung, stall)

    def _watch(self, hurting: threading.Thread, deadline: float) -> tuple[bool, float]:
        best, moved, stall = 0, time.monotonic(), 0.0
        while time.monotonic() < deadline:
            self.workers.restart_dead()
            if sum(self.workers.exits.values()) > MOST_EXITS:
                return False, stall
            reached = self.progress()
            if reached > best:
                if best:
                    stall = max(stall, time.monotonic() - moved)
                elif not hurting.is_alive():
                    hurting.start()
                best, moved = reached, time.monotonic()
            started = hurting.ident is not None
            if started and not hurting.is_alive() and self.done():
                return True, stall
            time.sleep(0.1)
        return False, stall

    def _hurt(self) -> None:
        for letter in self.faults:
            time.sleep(self._rnd.uniform(*self.gap_s))
            try:
                _FAULTS[letter](self)
            except Exception as error:  # noqa: BLE001 - raised again by run()
                self._errors.append(error)
                return
            self.applied.append(letter)

    # -- faults

    def kill_worker(self) -> None:
        """Kill -9."""
        self.workers.hurt(signal.SIGKILL, self._rnd)

    def freeze_worker(self) -> None:
        """SIGSTOP now, SIGCONT when its partitions belong to others."""
        process = self.workers.hurt(signal.SIGSTOP, self._rnd)
        if process is not None:
            time.sleep(self.zombie_s)
            _signal(process, signal.SIGCONT)

    def stop_worker(self) -> None:
        """SIGTERM."""
        self.workers.hurt(signal.SIGTERM, self._rnd)

    def kill_broker(self) -> None:
        """Kill -9 a node, and start it again."""
        self._kill_node(self._rnd.choice(list(self.kafka.nodes)))

    def kill_group_coordinator(self) -> None:
        """The same to the node that keeps the workers' group."""
        self._kill_node(coordinator_of_group(self.kafka.bootstrap, self.group))

    def kill_transaction_coordinator(self) -> None:
        """The same to the node that commits for one of the producers."""
        self._kill_node(coordinator_of_transactions(self.kafka.bootstrap, self.transactional_id))

    def _kill_node(self, node: int) -> None:
        self.kafka.kill(node)
        time.sleep(BROKER_DOWN_SECONDS)
        self.kafka.restart(node)

    def roll_brokers(self) -> None:
        """Restart all nodes, one after the other."""
        for node in self.kafka.nodes:
            self.kafka.shut_down(node)
            self.kafka.restart(node)


_FAULTS: dict[str, Callable[[Chaos], None]] = {
    "k": Chaos.kill_worker,
    "z": Chaos.freeze_worker,
    "g": Chaos.stop_worker,
    "+": lambda chaos: chaos.workers.add(),
    "-": lambda chaos: chaos.workers.remove(),
    "B": Chaos.kill_broker,
    "C": Chaos.kill_group_coordinator,
    "T": Chaos.kill_transaction_coordinator,
    "R": Chaos.roll_brokers,
}


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _wait_or_kill(process: subprocess.Popen[bytes]) -> bool:
    """Wait for a process that was asked to end; True if it had to be killed."""
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        _signal(process, signal.SIGKILL)
        process.wait()
        return True
    return False
