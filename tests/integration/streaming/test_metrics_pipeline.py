"""Partial sums in, windows and alerts out, on a real Kafka, the worker killed again and again: exact, told once."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping

import msgspec
import pytest
from confluent_kafka import Producer

from tamis.anomaly.board import Board
from tamis.domain.counts.sketch import Sketch, sketch_of
from tamis.kafka.partitioner import partition_of_series
from tamis.kafka.reader import TopicRecord, read_topic
from tamis.metrics.public import PublicCounts
from tamis.metrics.windows import MINUTE_MS
from tamis.records.alert import Alert, decode_alert
from tamis.records.metrics import (
    Cell,
    MinuteClosed,
    Partial,
    RollUp,
    SubjectsCell,
    Window,
    decode_closing,
    decode_public,
    decode_rollup,
    encode_metric,
)
from tamis.settings import KafkaSettings
from tests.support.kafka.cluster import KafkaCluster
from tests.support.metrics_worker import K, MetricsJob, facts
from tests.support.patience import Deadline

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

START = 28_401_120 + 9 * 60
MINUTES, SOURCES, LIMIT_S = 300, 2, 90.0
BREAK = range(START + 170, START + 200)
SERIES = {"shop/lead": 30, "shop/cart": 12, "shop/-": 90, "office/call": 6, "office/form": 20, "-/-": 3}
CHANNELS = ("email", "direct")
Sums = Counter[tuple[str, int, str, str]]


class Scene:
    """Topics of their own, partial sums, and one worker at a time."""

    def __init__(self, cluster: KafkaCluster) -> None:
        self.job = MetricsJob(prefix=f"m{uuid.uuid4().hex[:8]}.", bootstrap=cluster.bootstrap)
        self._kafka = KafkaSettings(bootstrap=cluster.bootstrap)
        cluster.create_topics(self.job.topics())
        self._producer = Producer({"bootstrap.servers": cluster.bootstrap, "log_level": 0})
        self._worker: subprocess.Popen[str] | None = None
        self.sums = Sums()

    def feed(self, first: int, end: int) -> None:
        """Partial sums of these minutes from all sources, as intake writes them."""
        rng = random.Random(first)
        for minute in range(first, end):
            for source in range(SOURCES):
                self._send(source, minute, self._cells(rng, minute))
        assert self._producer.flush(30) == 0

    def _cells(self, rng: random.Random, minute: int) -> list[Cell]:
        cells = []
        for series, mean in SERIES.items():
            broken = series == "shop/lead" and minute in BREAK
            for outcome, share in (("accepted", 0.7), ("denied", 0.3)):
                n = 0 if broken else max(0, round(rng.gauss(share * mean / SOURCES, 1)))
                if n:
                    channel = rng.choice(CHANNELS)
                    cells.append(Cell(series, minute, outcome, "r", n, 0.5 * n, "intent", channel, "mobile"))
                    self.sums[series, minute, outcome, channel] += n
        return cells

    def _send(self, source: int, minute: int, cells: list[Cell]) -> None:
        for partition in range(self.job.partitions):
            mine = tuple(c for c in cells if partition_of_series(c.series, self.job.partitions) == partition)
            partial = Partial(
                source=f"events.raw/{source}",
                sources=SOURCES,
                first=minute,
                next=minute + 1,
                watermark=(minute + 1) * MINUTE_MS,
                cells=mine,
                subjects=tuple(SubjectsCell(c.series, c.minute, sketch_of([c.n << 6 | 1]), _people(c)) for c in mine),
            )
            self._producer.produce(self.job.prefix + "metrics.partials", encode_metric(partial), partition=partition)

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.support.metrics_worker", msgspec.json.encode(self.job).decode()]
        self._worker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
        assert self._worker.stdout is not None
        assert self._worker.stdout.readline() == "READY\n"

    def kill(self) -> None:
        if self._worker is not None and self._worker.poll() is None:
            self._worker.kill()
            self._worker.wait()

    def read(self, topic: str) -> list[TopicRecord]:
        return list(read_topic(self._kafka, self.job.prefix + topic))

    def windows(self) -> dict[int, list[Window | MinuteClosed]]:
        found: dict[int, list[Window | MinuteClosed]] = defaultdict(list)
        for record in self.read("metrics.windows"):
            assert record.value is not None
            found[record.partition].append(decode_closing(record.value))
        return found

    def alerts(self) -> list[Alert]:
        return [decode_alert(record.value) for record in self.read("alerts") if record.value]

    def until_more_than(self, windows: int) -> None:
        self.until(lambda: len(self.read("metrics.windows")) > windows, "the worker goes on")

    def until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = Deadline(LIMIT_S)
        while not condition():
            deadline.check(what)
            assert self._worker is not None
            assert self._worker.poll() is None, "the worker ended by itself"
            time.sleep(0.2)


@pytest.fixture
def scene(kafka: KafkaCluster) -> Iterator[Scene]:
    made = Scene(kafka)
    yield made
    made.kill()


def test_kills_change_neither_windows_nor_alerts(scene: Scene) -> None:
    edges = [0, 70, 140, 185, 230, MINUTES]
    for first, end in itertools.pairwise(edges):
        scene.feed(START + first, START + end)
        before = len(scene.read("metrics.windows"))
        scene.start()
        scene.until_more_than(before)
        if end != MINUTES:
            scene.kill()
    scene.until(lambda: all(_last(each) == START + MINUTES - 1 for each in _all(scene)), "all minutes closed")
    windows = scene.windows()
    found = Sums()
    closed = [each for several in windows.values() for each in several if isinstance(each, Window)]
    for window in closed:
        for cell in window.cells:
            found[window.series, window.minute, cell.outcome, cell.channel] += cell.n
    assert found == scene.sums
    _check_spans(scene, closed)
    _check_public(scene, windows)
    for several in windows.values():
        minutes = [each.minute for each in several if isinstance(each, MinuteClosed)]
        assert minutes == list(range(START, START + MINUTES))

    expected = [alert for several in windows.values() for alert in _undisturbed(several)]
    assert [alert.state for alert in expected if alert.state != "updated"] == ["open", "closed"]
    assert {alert.series for alert in expected} == {"shop/lead"}
    scene.until(lambda: len(scene.alerts()) >= len(expected), "all alerts are told")
    assert scene.alerts() == expected


def _check_spans(scene: Scene, closed: list[Window]) -> None:
    """Each span that is over is written once and holds what its windows hold."""
    spans = [decode_rollup(record.value or b"") for record in scene.read("metrics.rollups")]
    assert {rolled.minutes for rolled in spans} == {5, 60}, "the run crosses no midnight"
    for minutes in (5, 60):
        expected, found = Sums(), Sums()
        for window in closed:
            start = window.minute // minutes * minutes
            if start + minutes <= START + MINUTES:
                for cell in window.cells:
                    expected[window.series, start, cell.outcome, cell.channel] += cell.n
        over = [each for each in spans if each.minutes == minutes]
        assert len({(each.series, each.start) for each in over}) == len(over)
        for each in over:
            for cell in each.cells:
                found[each.series, each.start, cell.outcome, cell.channel] += cell.n
            assert each.subjects == _merged(each, closed)
        assert found == expected


def _people(cell: Cell) -> bytes:
    """As many people as events, where they were accepted."""
    return sketch_of(each << 6 | 1 for each in range(cell.n)) if cell.outcome == "accepted" else b""


def _check_public(scene: Scene, windows: Mapping[int, list[Window | MinuteClosed]]) -> None:
    """What is published is what follows from the closed windows, whoever was killed meanwhile."""
    expected = [record for several in windows.values() for record in PublicCounts(K).take(several, _last(several))]
    found = [decode_public(record.value or b"") for record in scene.read("metrics.public")]
    assert found, "series of the run are large enough"
    assert sorted(map(repr, found)) == sorted(map(repr, expected))
    assert min(record.subjects for record in found) >= K


def _merged(rolled: RollUp, closed: list[Window]) -> bytes:
    sketch = Sketch()
    for window in closed:
        if window.series == rolled.series and 0 <= window.minute - rolled.start < rolled.minutes:
            sketch.merge(window.subjects)
    return sketch.encode()


def _all(scene: Scene) -> list[list[Window | MinuteClosed]]:
    windows = scene.windows()
    return [windows[partition] for partition in range(scene.job.partitions)]


def _last(several: list[Window | MinuteClosed]) -> int:
    return several[-1].minute if several else 0


def _undisturbed(several: list[Window | MinuteClosed]) -> list[Alert]:
    """What one board that never stopped would tell."""
    board = Board(facts)
    return [alert for offset, record in enumerate(several) for alert in board.take(offset, record)]
