"""Measures a worker process from outside: CPU per event, throughput, private memory.

Rules: CPU is user + system time of the process; rates are taken between 20 % and 95 % of the input, so start and tail
do not count; progress is the group's committed offsets; a process that ends early is an error.
"""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

_TICKS = os.sysconf("SC_CLK_TCK")
_FROM, _TO = 0.20, 0.95
_POLL_S = 0.2


class Sample(msgspec.Struct, frozen=True):
    """One look at the process: wall seconds, CPU seconds, events done."""

    at_s: float
    cpu_s: float
    done: int


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What one program cost.

    Attributes:
        name: the program.
        events: size of the input.
        events_per_s: between 20 % and 95 %.
        cpu_s_per_million: CPU-seconds per million events (= µs an event), between 20 % and 95 %.
        cpu_s_per_million_with_start: the same from process start to the end.
        private_mb: largest private memory, MiB.
    """

    name: str
    events: int
    events_per_s: float
    cpu_s_per_million: float
    cpu_s_per_million_with_start: float
    private_mb: float


class BenchError(RuntimeError):
    """A program ended early or did not finish in time."""


def cpu_seconds(pid: int) -> float:
    """User and system CPU of a live process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def private_mb(pid: int) -> float:
    """Memory no other process shares, MiB."""
    rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(row.split()[1]) for row in rows if row.startswith("Private_")) / 1024


def measure(
    name: str, process: subprocess.Popen[bytes], total: int, done: Callable[[], int | None], timeout_s: float
) -> Measured:
    """Watches ``process`` until ``done`` reaches ``total``.

    Raises:
        BenchError: it ended early or was too slow.
    """
    samples, peak, deadline = [Sample(time.monotonic(), 0.0, 0)], 0.0, time.monotonic() + timeout_s
    while samples[-1].done < total:
        if process.poll() is not None:
            raise BenchError(f"{name} ended with exit code {process.returncode}")
        if time.monotonic() > deadline:
            raise BenchError(f"{name}: {samples[-1].done} of {total} events after {timeout_s:.0f} s")
        progress = done()
        if progress is not None:
            samples.append(Sample(time.monotonic(), cpu_seconds(process.pid), progress))
            peak = max(peak, private_mb(process.pid))
        time.sleep(_POLL_S)
    return _result(name, total, samples, peak)


def _result(name: str, total: int, samples: list[Sample], peak: float) -> Measured:
    first = next(sample for sample in samples if sample.done >= _FROM * total)
    last = next(sample for sample in samples if sample.done >= _TO * total)
    if last.done == first.done:
        first = samples[0]
    events = last.done - first.done
    return Measured(
        name=name,
        events=total,
        events_per_s=events / max(last.at_s - first.at_s, 1e-9),
        cpu_s_per_million=(last.cpu_s - first.cpu_s) / events * 1e6,
        cpu_s_per_million_with_start=samples[-1].cpu_s / total * 1e6,
        private_mb=peak,
    )
