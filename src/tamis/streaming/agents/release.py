"""The release agents: due records of ``events.held`` and ``events.held.last`` are decided again.

Rules: as intake: one audit log per input partition, resumed from its own last committed head; outputs, leaves, head,
counts and offset leave together; nothing is handed out while consent may be stale. The time of release is the time at
which a batch begins, and the watermark: whatever waits longer is counted later.
Not handled here: what is decided (``tamis.release``), when records are due (``streaming.transport``).
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any, Protocol

import msgspec

from tamis.domain.audit.log import AuditLog
from tamis.intake import Intake
from tamis.records.batch import RawBatch
from tamis.records.topics import Topic
from tamis.release import Release, Released
from tamis.streaming.agents.audit_logs import AuditLogs
from tamis.streaming.agents.emissions import send_emissions
from tamis.streaming.agents.intake import GATE_POLL_S
from tamis.streaming.agents.partials import PartialsPacker
from tamis.streaming.transport.batch import Batch


class ReleaseObserver(Protocol):
    """Told after each commit what became of held events."""

    def released(self, topic: str, partition: int, found: Released) -> None:
        """A batch of a partition of ``topic`` (without prefix) is committed."""


class ReleaseConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What the agents need besides the core.

    Attributes:
        topic: short name -> full topic name.
        partitions: of the held topics.
        metrics_partitions: partitions of ``metrics.*``.
        watermark_ms: a metrics partition hears of a source at least this often while there are batches.
        record_time: outputs carry the record clock as their timestamp (replays, demo).
        gate: why release must wait, None when it may go on.
        now: the time events are judged at, ms.
        core: the core of the bundle to go on with; asked before each batch.
    """

    topic: Callable[[str], str]
    partitions: int
    metrics_partitions: int
    watermark_ms: int
    record_time: bool
    gate: Callable[[], str | None]
    now: Callable[[], int]
    core: Callable[[], Intake]


class ReleaseRunner:
    """Processes batches of one held topic, one after the other.

    Args:
        source: the topic, without prefix.
        config: see ``ReleaseConfig``.
        logs: the audit logs of its partitions.
        observer: told after each commit.
    """

    def __init__(self, source: Topic, config: ReleaseConfig, logs: AuditLogs, observer: ReleaseObserver) -> None:
        self._source, self._config, self._logs, self._observer = source.value, config, logs, observer
        self._last = source is Topic.EVENTS_HELD_LAST
        self._partials = config.topic(Topic.METRICS_PARTIALS)

    async def run(self, batches: AsyncIterator[Batch]) -> None:
        """Until the stream ends; any exception is a fault and stops the worker."""
        async for batch in batches:
            async with batch:
                log = batch.local.get("log")
                if not isinstance(log, AuditLog):
                    log = batch.local["log"] = await self._logs.open(batch.partition, batch.resumed_at)
                    while self._config.gate() is not None:  # noqa: ASYNC110 - the gate is asked, it does not tell
                        await asyncio.sleep(GATE_POLL_S)
                self._process(log, batch)

    def _process(self, log: AuditLog, batch: Batch) -> None:
        config = self._config
        now = max(log.clock, batch.clock, config.now())
        stamp = now if config.record_time else None
        self._logs.sign(log, batch, stamp)
        raw = RawBatch(self._source, batch.partition, batch.records, batch.first, batch.next, now, batch.lost)
        found = Release(config.core(), last=self._last).process(log, raw)
        send_emissions(batch, found.emissions, config.topic, self._logs.topic, config.partitions, stamp)
        self._write_counts(batch, found, stamp)
        batch.after_commit.append(partial(self._observer.released, self._source, batch.partition, found))
        batch.after_commit.append(partial(self._logs.committed, log, batch.partition))

    def _write_counts(self, batch: Batch, found: Released, stamp: int | None) -> None:
        config, packer = self._config, batch.local.get("partials")
        if not isinstance(packer, PartialsPacker):
            packer = batch.local["partials"] = PartialsPacker(
                f"{self._source}/{batch.partition}", config.partitions, config.metrics_partitions, config.watermark_ms
            )
        tally, watermark = found.emissions.tally, found.emissions.watermark
        for partition, value in packer.pack(tally, batch.first, batch.next, watermark):
            batch.send(self._partials, [(None, value)], partition=partition, timestamp_ms=stamp)


def register_release(app: Any, held: Any, last: Any, runners: tuple[ReleaseRunner, ReleaseRunner]) -> None:
    """Adds the agents to a Faust app; ``held`` and ``last`` are the batch topics, ``runners`` theirs."""
    first_runner, last_runner = runners

    @app.agent(held, name="release")  # type: ignore[misc]
    async def release(stream: Any) -> None:
        await first_runner.run(stream)

    @app.agent(last, name="release-last")  # type: ignore[misc]
    async def release_last(stream: Any) -> None:
        await last_runner.run(stream)
