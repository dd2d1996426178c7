"""Latency of the whole job at half load: from producing an event to reading its committed clean record.

Rules: events are produced at an even rate with the produce time inside; the audit leaf of an accepted event is read
``read_committed``: it is in the transaction of its clean record and holds the time to the millisecond, which the clean
record does not; the first seconds (start-up) are left out.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from tamis.demo.bench import events as traffic
from tamis.demo.bench import programs
from tamis.kafka.loading import Loader
from tamis.kafka.tail import TopicTail
from tamis.records.topics import Topic
from tamis.settings import Settings

_WARM_S, _RUN_S, _DRAIN_S = 8.0, 15.0, 5.0
_SLICE_S = 0.01


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds from produce to committed clean record.

    Attributes:
        events_per_s: produced.
        n: clean records timed.
        p50_ms, p99_ms: quantiles.
    """

    events_per_s: float
    n: int
    p50_ms: float
    p99_ms: float


class _Leaf(msgspec.Struct):
    at: int = 0
    out: str = ""


_read_leaf = msgspec.json.Decoder(_Leaf).decode


def measure_latency(settings: Settings, rate: float, folder: Path, say: Callable[[str], None]) -> Latency:
    """Runs the worker at ``rate`` events/s for a while, under the group that has read the input already."""
    say(f"latency at {rate:,.0f} events/s")
    process = programs.worker(settings, "latency", "whole", 0, "intake", "metrics", "anomaly").start(
        folder / "latency.log"
    )
    stop, found = threading.Event(), list[tuple[float, float]]()
    began = time.time()
    reader = threading.Thread(target=_read, args=(settings, began, stop, found), daemon=True)
    reader.start()
    try:
        _produce(settings, rate)
        time.sleep(_DRAIN_S)
    finally:
        stop.set()
        reader.join()
        process.terminate()
        process.wait(30)
    times = sorted(late for at, late in found if at >= began + _WARM_S)
    if not times:
        return Latency(events_per_s=rate, n=0, p50_ms=float("nan"), p99_ms=float("nan"))
    return Latency(events_per_s=rate, n=len(times), p50_ms=times[len(times) // 2], p99_ms=times[len(times) * 99 // 100])


def _produce(settings: Settings, rate: float) -> None:
    count = round(rate * (_WARM_S + _RUN_S))
    began = time.monotonic()
    with Loader(settings.kafka, linger_ms=2) as loader:
        for number in range(count):
            due = began + number / rate
            while (wait := due - time.monotonic()) > 0:
                time.sleep(min(wait, _SLICE_S))
            now = time.time_ns() // 1_000_000
            loader.put(settings.topic(Topic.EVENTS_RAW), traffic.timed(number, settings.topics.raw_partitions, now))
            if number % 200 == 0:
                loader.poll()


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
