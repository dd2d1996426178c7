"""The anomaly agent: ``metrics.windows`` to ``alerts``, one board of detectors per metrics partition.

Rules: alerts, snapshots (``metrics.state``) and the input offset leave in the batch's transaction, so an alert is told
once whatever happens to workers. Before its first batch a new owner restores the snapshots of its partition, takes the
windows since then again without telling anything, and brings its incidents in line with ``alerts``. Only the windows
say what time it is.
Not handled here: judging (``tamis.anomaly``), reading other topics (``tamis.streaming.reader``).
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Protocol

import msgspec

from tamis.anomaly.board import Board, BoardPolicy, FactsOf
from tamis.anomaly.count_detector import Judgement
from tamis.anomaly.incidents import RuleFacts
from tamis.domain.rules import Rule
from tamis.kafka.partitioner import partition_of_series
from tamis.records.alert import Alert, decode_alert, encode_alert
from tamis.records.metrics import Closing, MinuteClosed, decode_closing
from tamis.records.topics import Topic
from tamis.streaming.reader import TopicReader
from tamis.streaming.transport.batch import Batch
from tamis.streaming.transport.topic import batch_topic

REPLAY_RECORDS = 20_000  # read and taken at a time


class AnomalyObserver(Protocol):
    """Told after commits what is open and what was told."""

    def incidents_restored(self, partition: int, alerts: Iterable[Alert]) -> None:
        """The partition was taken over with these open incidents, as read back from ``alerts``."""

    def alerts_written(self, partition: int, alerts: Iterable[Alert]) -> None:
        """A batch of ``metrics.windows`` is committed that wrote these to ``alerts``, in order."""

    def series_judged(self, partition: int, bands: Iterable[tuple[str, Judgement]]) -> None:
        """A minute ended in the same batch; what it looks like for each watched series."""


class SilentAnomaly:
    """An ``AnomalyObserver`` that ignores everything."""

    def incidents_restored(self, partition: int, alerts: Iterable[Alert]) -> None:
        """Ignore."""

    def alerts_written(self, partition: int, alerts: Iterable[Alert]) -> None:
        """Ignore."""

    def series_judged(self, partition: int, bands: Iterable[tuple[str, Judgement]]) -> None:
        """Ignore."""


class AnomalyConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What the agent needs besides its board.

    Attributes:
        topic: short name -> full topic name.
        partitions: of the metrics topics.
        policy: how a board keeps its series.
        history: partition -> windows of the past for a partition that has none yet (warm start).
        bundle: hash of the rule bundle in force.
    """

    topic: Callable[[str], str]
    partitions: int
    policy: BoardPolicy = BoardPolicy()
    history: Callable[[int], Iterable[Closing]] | None = None
    bundle: Callable[[], str] = str


def facts_of(rules: Iterable[Rule], zone: str = "UTC") -> FactsOf:
    """What alerts say, from the rules of the configuration; a series without a rule has no owner.

    Args:
        rules: in any order; those that are not active are not expected by any time.
        zone: of the times of day by which rules expect an event.
    """
    known = {
        rule.id: RuleFacts(
            owner=rule.owner,
            sla=rule.sla,
            upstream=rule.upstream,
            expected_by=rule.expected_by if rule.mode == "active" else "",
            zone=zone,
        )
        for rule in rules
    }
    nobody = RuleFacts()
    return lambda rule: known.get(rule, nobody)


class AnomalyRunner:
    """Keeps one board per owned partition.

    Args:
        config: see ``AnomalyConfig``.
        facts: rule id -> what its alerts say.
        reader: for snapshots, windows and alerts at take-over.
        observer: told after each commit.
    """

    def __init__(self, config: AnomalyConfig, facts: FactsOf, reader: TopicReader, observer: AnomalyObserver) -> None:
        self._config = config
        self._facts = facts
        self._reader = reader
        self._observer = observer
        self._windows = config.topic(Topic.METRICS_WINDOWS)
        self._state = config.topic(Topic.METRICS_STATE)
        self._alerts = config.topic(Topic.ALERTS)

    async def run(self, batches: Any) -> None:
        """Until the stream ends; any exception is a fault and stops the worker."""
        async for batch in batches:
            async with batch:
                await self._process(batch)

    async def _process(self, batch: Batch) -> None:
        alerts: list[Alert] = []
        board = batch.local.get("board")
        if not isinstance(board, Board):
            board = batch.local["board"] = await self._take_over(batch.partition, batch.first, alerts)
            restored = board.open_incidents()
            batch.after_commit.append(partial(self._observer.incidents_restored, batch.partition, restored))
        board.note_bundle(self._config.bundle())
        ended = False
        for record in batch.records:
            closing = decode_closing(record.value)
            ended = ended or isinstance(closing, MinuteClosed)
            alerts += board.take(record.offset, closing)
        if alerts:
            batch.send(self._alerts, [(alert.id.encode(), encode_alert(alert)) for alert in alerts], partition=0)
        snapshots = board.drain_snapshots()
        if snapshots:
            batch.send(self._state, [(series.encode(), value) for series, value in snapshots.items()])
        batch.after_commit.append(partial(self._observer.alerts_written, batch.partition, alerts))
        if ended:
            batch.after_commit.append(partial(self._observer.series_judged, batch.partition, board.judged()))

    async def _take_over(self, partition: int, first: int, alerts: list[Alert]) -> Board:
        """The board as its last owner left it at offset ``first`` of ``metrics.windows``."""
        board = Board(self._facts, self._config.policy)
        for series, snapshot in (await self._snapshots(partition)).items():
            with contextlib.suppress(ValueError, msgspec.DecodeError):  # of another version: learned again below
                board.restore(series, snapshot)
        if not len(board) and self._config.history is not None:
            board.learn_history(self._config.history(partition))
        await self._replay(board, partition, first)
        alerts += board.reconcile(await self._told(partition))
        return board

    async def _snapshots(self, partition: int) -> dict[str, bytes]:
        latest: dict[str, bytes] = {}
        for record in await self._reader.read(self._state, partition):
            series = (record.key or b"").decode()
            if record.value is None:
                latest.pop(series, None)
            else:
                latest[series] = record.value
        return latest

    async def _replay(self, board: Board, partition: int, first: int) -> None:
        for start in range(board.replay_from(), first, REPLAY_RECORDS):
            end = min(first, start + REPLAY_RECORDS)
            for record in await self._reader.read(self._windows, partition, start, end):
                board.take(record.offset, decode_closing(record.value or b""))
                await asyncio.sleep(0)

    async def _told(self, partition: int) -> Iterable[Alert]:
        latest: dict[str, Alert] = {}
        for record in await self._reader.read(self._alerts, 0):
            if record.value is not None:
                alert = decode_alert(record.value)
                if partition_of_series(alert.series, self._config.partitions) == partition:
                    latest[alert.id] = alert
        return latest.values()


def register_anomaly(
    app: Any, config: AnomalyConfig, facts: FactsOf, reader: TopicReader, observer: AnomalyObserver | None = None
) -> None:
    """Adds the agent to a Faust app.

    Args:
        app: made by ``streaming.app.make_app``.
        config: topics and policy.
        facts: see ``facts_of``.
        reader: for the take-over.
        observer: None for none.
    """
    windows = batch_topic(app, config.topic(Topic.METRICS_WINDOWS), empty_every_s=None)
    runner = AnomalyRunner(config, facts, reader, observer or SilentAnomaly())

    @app.agent(windows, name="anomaly")  # type: ignore[misc]
    async def anomaly(stream: Any) -> None:
        await runner.run(stream)
