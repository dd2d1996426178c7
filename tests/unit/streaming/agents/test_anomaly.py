"""The anomaly agent against topics in memory: an owner killed at any batch loses nothing and tells nothing twice."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, Self

import pytest

from tamis.anomaly.board import closings
from tamis.anomaly.incidents import RuleFacts
from tamis.domain.rules import Rule
from tamis.kafka.partitioner import partition_of_series
from tamis.records.alert import Alert, decode_alert, encode_alert
from tamis.records.metrics import Closing, Window, WindowCell, encode_metric
from tamis.streaming.agents.anomaly import AnomalyConfig, AnomalyRunner, SilentAnomaly, facts_of
from tamis.streaming.reader import Stored

START = 28_401_120 + 9 * 60
MINUTES = 240
BREAK = range(START + 150, START + 180)


class Topics:
    """Topics in memory: implements the reader's port and takes what batches send."""

    def __init__(self) -> None:
        self.logs: dict[tuple[str, int], list[tuple[bytes | None, bytes | None]]] = {}

    async def read(self, topic: str, partition: int, start: int = 0, end: int | None = None) -> list[Stored]:
        log = self.logs.get((topic, partition), [])
        return [Stored(i, key, value) for i, (key, value) in enumerate(log)][start:end]

    async def last_records(self, topic: str, partition: int, count: int) -> list[Stored]:
        return (await self.read(topic, partition))[-count:]

    def alerts(self) -> list[Alert]:
        return [decode_alert(value) for _, value in self.logs.get(("t.alerts", 0), []) if value]


class Batch:
    """One batch of ``metrics.windows``: what it sends reaches the topics when it is left without a fault."""

    def __init__(self, topics: Topics, local: dict[str, Any], first: int, end: int) -> None:
        log = topics.logs["t.metrics.windows", 0]
        self.records = [SimpleNamespace(offset=i, value=log[i][1]) for i in range(first, end)]
        self.partition, self.first, self.next, self.local = 0, first, end, local
        self.after_commit: list[Any] = []
        self._topics, self._sent = topics, list[tuple[str, int, list[Any]]]()

    def send(self, topic: str, items: list[Any], partition: int | None = None) -> None:
        self._sent.append((topic, self.partition if partition is None else partition, items))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            for topic, partition, items in self._sent:
                self._topics.logs.setdefault((topic, partition), []).extend(items)
            for told in self.after_commit:
                told()


def _window(series: str, minute: int, n: int) -> Window:
    return Window(series=series, minute=minute, cells=(WindowCell("accepted", "granted", n, 0.0),))


def _windows() -> list[Closing]:
    rng = random.Random(4)
    minutes = []
    for minute in range(START, START + MINUTES):
        counts = {"shop/lead": rng.randint(20, 40), "law/call": rng.randint(5, 15)}
        if minute in BREAK:
            del counts["shop/lead"]
        minutes.append((minute, [_window(series, minute, n) for series, n in counts.items()]))
    return list(closings(minutes))


@pytest.fixture(scope="module")
def windows() -> list[tuple[bytes | None, bytes | None]]:
    return [(None, encode_metric(each)) for each in _windows()]


class Told(SilentAnomaly):
    """An observer that keeps what it was told."""

    def __init__(self) -> None:
        self.restored: list[list[str]] = []
        self.written: list[str] = []

    def incidents_restored(self, partition: int, alerts: Iterable[Alert]) -> None:
        self.restored.append([alert.id for alert in alerts])

    def alerts_written(self, partition: int, alerts: Iterable[Alert]) -> None:
        self.written += [alert.state for alert in alerts]


def _topics(windows: list[tuple[bytes | None, bytes | None]]) -> Topics:
    topics = Topics()
    topics.logs["t.metrics.windows", 0] = list(windows)
    return topics


def _runner(topics: Topics, told: Told | None = None, **config: Any) -> AnomalyRunner:
    rules = (Rule(id="lead", version=1, owner="growth", sla="4h", stage="intent", events=("Lead",), destinations=()),)
    return AnomalyRunner(
        AnomalyConfig(topic="t.{}".format, partitions=1, **config), facts_of(rules), topics, told or SilentAnomaly()
    )


def _play(topics: Topics, runner: AnomalyRunner, cuts: list[int]) -> None:
    async def batches(local: dict[str, Any]) -> Any:
        for first, end in itertools.pairwise(cuts):
            yield Batch(topics, local, first, end)

    asyncio.run(runner.run(batches({})))


def test_a_break_is_told_once_with_its_owner(windows: list[Any]) -> None:
    topics = _topics(windows)
    _play(topics, _runner(topics), [0, 10, 400, len(windows)])
    alerts = topics.alerts()
    assert [alert.state for alert in alerts if alert.state != "updated"] == ["open", "closed"]
    assert {(alert.series, alert.owner) for alert in alerts} == {("shop/lead", "growth")}
    assert all(key == alert.id.encode() for (key, _), alert in zip(topics.logs["t.alerts", 0], alerts, strict=True))


@pytest.mark.parametrize("killed_at", [3, 200, 445, 455, 480, 530, 600])
def test_a_new_owner_goes_on_exactly_where_the_last_one_was_killed(windows: list[Any], killed_at: int) -> None:
    undisturbed = _topics(windows)
    _play(undisturbed, _runner(undisturbed), [*range(0, len(windows), 50), len(windows)])
    topics = _topics(windows)
    _play(topics, _runner(topics), [*range(0, killed_at, 50), killed_at])
    _play(topics, _runner(topics), [*range(killed_at, len(windows), 50), len(windows)])
    assert topics.alerts() == undisturbed.alerts()
    assert dict(topics.logs["t.metrics.state", 0]).keys() == {b"shop/lead", b"law/call"}


def test_the_observer_hears_of_what_was_open_and_of_what_was_told(windows: list[Any]) -> None:
    topics, first, second = _topics(windows), Told(), Told()
    _play(topics, _runner(topics, first), [0, 470])
    _play(topics, _runner(topics, second), [470, len(windows)])
    open_id = topics.alerts()[0].id
    assert (first.restored, second.restored) == ([[]], [[open_id]])
    assert [*first.written, *second.written] == [alert.state for alert in topics.alerts()]
    assert first.written[0] == "open"


def test_without_snapshots_everything_is_replayed_and_nothing_told_again(windows: list[Any]) -> None:
    undisturbed, topics = _topics(windows), _topics(windows)
    _play(undisturbed, _runner(undisturbed), [0, len(windows)])
    _play(topics, _runner(topics), [0, 470])
    del topics.logs["t.metrics.state", 0]
    _play(topics, _runner(topics), [470, len(windows)])
    assert topics.alerts() == undisturbed.alerts()


def test_a_history_warms_a_partition_that_has_none(windows: list[Any]) -> None:
    topics = _topics(windows[400:])
    asked: list[int] = []

    def history(partition: int) -> list[Closing]:
        asked.append(partition)
        return _windows()[:400]

    _play(topics, _runner(topics, history=history), [0, 120])
    assert [alert.state for alert in topics.alerts()][:1] == ["open"]
    _play(topics, _runner(topics, history=history), [120, len(windows) - 400])
    assert asked == [0]


def test_alerts_of_other_partitions_are_left_alone(windows: list[Any]) -> None:
    topics = _topics(windows)
    runner = AnomalyRunner(
        AnomalyConfig(topic="t.{}".format, partitions=4), lambda _: RuleFacts(), topics, SilentAnomaly()
    )
    other = next(s for s in ("a/b", "c/d", "e/f", "g/h", "i/j") if partition_of_series(s, 4) != 0)
    foreign = Alert(
        id=f"{other}@5", state="open", series=other, kind="drop", severity="page", opened_at=0, detected_at=0,
        minute=5, observed=0, expected=9, low=5, high=20, score=0.6,
    )  # fmt: skip
    topics.logs["t.alerts", 0] = [(foreign.id.encode(), encode_alert(foreign))]
    _play(topics, runner, [0, 200])
    assert [alert.id for alert in topics.alerts()] == [foreign.id]
