"""Latency of the whole job at half load: from producing an event to reading its committed clean record.

Rules: a worker that has just started is no settled worker, so the load begins only when the worker has committed probe
events on every partition, and the first seconds of load are left out; events are produced at an even rate with the
produce time inside; the audit leaf of an accepted event is read ``read_committed``: it is in the transaction of its
clean record and holds the time to the millisecond, which the clean record does not. The rate told is the one that was
reached: producer, broker, worker and reader may share the processors.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from tamis.demo.bench import events as traffic
from tamis.demo.bench import programs
from tamis.demo.bench.measure import BenchError, cpu_seconds
from tamis.kafka.loading import GroupProgress, Loader
from tamis.kafka.tail import TopicTail
from tamis.records.topics import Topic
from tamis.settings import Settings

_WARM_S, _RUN_S, _DRAIN_S = 4.0, 15.0, 3.0
_SLICE_S = 0.01
_FIRST = 1 << 30  # numbers, and with them event ids, that the preloaded input does not have
_READY_S, _POLL_S = 60.0, 0.2


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds from produce to committed clean record.

    Attributes:
        events_per_s: produced.
        n: clean records timed.
        p50_ms, p99_ms, max_ms: quantiles.
        worker_cpu: part of one processor the worker took.
    """

    events_per_s: float
    n: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    worker_cpu: float


class _Leaf(msgspec.Struct):
    at: int = 0
    out: str = ""


_read_leaf = msgspec.json.Decoder(_Leaf).decode


def measure_latency(settings: Settings, rate: float, folder: Path, say: Callable[[str], None]) -> Latency:
    """Runs the worker at ``rate`` events/s for a while, under the group that has read the input already.

    Raises:
        BenchError: the worker did not commit the probe events.
    """
    say(f"latency at {rate:,.0f} events/s")
    program = programs.worker(settings, "latency", "whole", 0, "intake", "metrics", "anomaly")
    process = program.start(folder / "latency.log")
    stop, found = threading.Event(), list[tuple[float, float]]()
    try:
        with Loader(settings.kafka, linger_ms=2) as loader:
            _until_ready(settings, program.group, loader)
            began, cpu = time.time(), cpu_seconds(process.pid)
            reader = threading.Thread(target=_read, args=(settings, began, stop, found), daemon=True)
            reader.start()
            reached = _produce(settings, rate, loader)
            cpu = (cpu_seconds(process.pid) - cpu) / (time.time() - began)
        time.sleep(_DRAIN_S)
        stop.set()
        reader.join()
    finally:
        stop.set()
        process.terminate()
        process.wait(30)
    times = sorted(late for at, late in found if at >= began + _WARM_S) or [float("nan")]
    return Latency(
        events_per_s=reached,
        n=len(times),
        p50_ms=times[len(times) // 2],
        p99_ms=times[len(times) * 99 // 100],
        max_ms=times[-1],
        worker_cpu=cpu,
    )


def _until_ready(settings: Settings, group: str, loader: Loader) -> None:
    """Sends one event to each partition and waits until the worker has committed them."""
    topic, partitions = settings.topic(Topic.EVENTS_RAW), settings.topics.raw_partitions
    progress = GroupProgress(settings.kafka, group, topic, partitions)
    try:
        before = progress.committed() or [0] * partitions
        for number in range(partitions):
            loader.put(topic, traffic.timed(_FIRST + number, partitions, time.time_ns() // 1_000_000))
        deadline = time.monotonic() + _READY_S
        while any(now <= was for now, was in zip(progress.committed() or before, before, strict=True)):
            loader.poll()
            if time.monotonic() > deadline:
                raise BenchError("the worker did not read the probe events in time")
            time.sleep(_POLL_S)
    finally:
        progress.close()


def _produce(settings: Settings, rate: float, loader: Loader) -> float:
    """Gives the rate that was reached, events a second."""
    count = round(rate * (_WARM_S + _RUN_S))
    began = time.monotonic()
    topic, partitions = settings.topic(Topic.EVENTS_RAW), settings.topics.raw_partitions
    for number in range(count):
        due = began + number / rate
        while (wait := due - time.monotonic()) > 0:
            time.sleep(min(wait, _SLICE_S))
        loader.put(topic, traffic.timed(_FIRST + partitions + number, partitions, time.time_ns() // 1_000_000))
        if number % 200 == 0:
            loader.poll()
    return count / (time.monotonic() - began)


def _read(settings: Settings, began: float, stop: threading.Event, found: list[tuple[float, float]]) -> None:
    topics = [(settings.topic(Topic.AUDIT_LOG), settings.topics.raw_partitions)]
    with TopicTail(settings.kafka, topics) as tail:
        while not stop.is_set():
            records = tail.poll(0.05)
            now = time.time()
            for record in records:
                leaf = _read_leaf(record.value or b"{}")
                produced = leaf.at / 1000
                if leaf.out == "accepted" and produced >= began:
                    found.append((produced, (now - produced) * 1000))
