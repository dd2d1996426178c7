"""The intake agent: hands batches of ``events.raw`` to the core and writes what it gives in the batch's transaction.

Rules: one audit log per input partition, resumed from its own last committed head whenever a partition is taken over;
outputs, leaves, head, counts and offset leave together; counters move only after the commit.
Not handled here: what happens to an event (``tamis.intake``), transactions (``streaming.transport``).
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any, Protocol

import msgspec

from tamis.domain.audit.log import AuditLog
from tamis.intake import Intake
from tamis.records.batch import Emissions, RawBatch
from tamis.records.differences import encode_differences
from tamis.records.topics import Topic
from tamis.streaming.agents.audit_logs import AuditLogs
from tamis.streaming.agents.emissions import send_emissions
from tamis.streaming.agents.partials import PartialsPacker
from tamis.streaming.agents.sightings import KeptSightings, SightingsKeeper, SightingsObserver
from tamis.streaming.transport.batch import Batch


class IntakeObserver(SightingsObserver, Protocol):
    """Told after each commit what became of the batch's events."""

    def decided(self, partition: int, emissions: Emissions) -> None:
        """A batch of ``partition`` is committed with these ``emissions``."""


GATE_POLL_S = 0.1


def _open_gate() -> str | None:
    return None


def _no_successor() -> Intake | None:
    return None


class IntakeConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What the agent needs besides the core.

    Attributes:
        topic: short name -> full topic name.
        raw_partitions: partitions of ``events.raw``.
        metrics_partitions: partitions of ``metrics.*``.
        watermark_ms: a metrics partition hears of a source at least this often while there are batches.
        record_time: outputs carry the record clock as their timestamp (replays, demo).
        gate: why intake must wait, None when it may go on.
        successor: the core for another bundle to go on with, None to keep the one in use; asked before each batch.
    """

    topic: Callable[[str], str]
    raw_partitions: int
    metrics_partitions: int
    watermark_ms: int
    record_time: bool
    gate: Callable[[], str | None] = _open_gate
    successor: Callable[[], Intake | None] = _no_successor


class IntakeRunner:
    """Processes batches one after the other.

    Args:
        intake: the core.
        config: see ``IntakeConfig``.
        logs: the audit logs of the input partitions.
        observer: told after each commit.
        keeper: remembers what was seen, so that repeats are found; None: they are not looked for.
    """

    def __init__(
        self,
        intake: Intake,
        config: IntakeConfig,
        logs: AuditLogs,
        observer: IntakeObserver,
        keeper: SightingsKeeper | None = None,
    ) -> None:
        self._intake = intake
        self._config = config
        self._logs = logs
        self._observer = observer
        self._keeper = keeper
        self._partials = config.topic(Topic.METRICS_PARTIALS)
        self._shadow = config.topic(Topic.RULES_SHADOW)

    async def run(self, batches: AsyncIterator[Batch]) -> None:
        """Until the stream ends; any exception is a fault and stops the worker."""
        async for batch in batches:
            async with batch:
                log = batch.local.get("log")
                if not isinstance(log, AuditLog):
                    log = batch.local["log"] = await self.open_log(batch)
                    if self._keeper is not None:
                        batch.local["sightings"] = await self._keeper.open(batch.partition, batch.resumed_at)
                    await self._until_open()
                self._intake = self._config.successor() or self._intake
                known = batch.local.get("sightings")
                kept = known if isinstance(known, KeptSightings) else None
                stamp = max(log.clock, batch.clock) if self._config.record_time else None
                self._logs.sign(log, batch, stamp)
                emissions = self._intake.process(log, _raw(batch), kept)
                stamp = emissions.watermark if self._config.record_time else None
                self._write(batch, emissions, stamp)
                self.write_counts(batch, emissions, stamp)
                if kept is not None and self._keeper is not None:
                    batch.after_commit.append(
                        self._keeper.decided(batch.partition, kept, emissions.fresh, batch.next, stamp)
                    )
                batch.after_commit.append(partial(self._observer.decided, batch.partition, emissions))
                batch.after_commit.append(partial(self._logs.committed, log, batch.partition))

    async def _until_open(self) -> None:
        """Opening a log takes time, in which consent may have become stale: what was handed out then waits again."""
        while self._config.gate() is not None:  # noqa: ASYNC110 - the gate is asked, it does not tell
            await asyncio.sleep(GATE_POLL_S)

    async def open_log(self, batch: Batch) -> AuditLog:
        """The partition's audit log, resumed from its own tail."""
        return await self._logs.open(batch.partition, batch.resumed_at)

    def _write(self, batch: Batch, emissions: Emissions, stamp: int | None) -> None:
        send_emissions(batch, emissions, self._config.topic, self._logs.topic, self._config.raw_partitions, stamp)
        if emissions.differences is not None and emissions.differences.events and self._intake.shadow is not None:
            hashes = self._intake.bundle.hash, self._intake.shadow.bundle.hash
            report = encode_differences(
                hashes, (batch.partition, batch.first, batch.next), emissions.watermark, emissions.differences
            )
            batch.send(self._shadow, [(None, report)], timestamp_ms=stamp)

    def write_counts(self, batch: Batch, emissions: Emissions, stamp: int | None) -> None:
        """Writes the batch's counts and watermark; ``stamp`` is their record time, None for now."""
        config, packer = self._config, batch.local.get("partials")
        if not isinstance(packer, PartialsPacker):
            packer = batch.local["partials"] = PartialsPacker(
                f"{Topic.EVENTS_RAW.value}/{batch.partition}",
                config.raw_partitions,
                config.metrics_partitions,
                config.watermark_ms,
            )
        for partition, value in packer.pack(emissions.tally, batch.first, batch.next, emissions.watermark):
            batch.send(self._partials, [(None, value)], partition=partition, timestamp_ms=stamp)


def _raw(batch: Batch) -> RawBatch:
    return RawBatch(
        Topic.EVENTS_RAW.value, batch.partition, batch.records, batch.first, batch.next, batch.clock, batch.lost
    )


def register_intake(app: Any, topic: Any, runner: IntakeRunner) -> None:
    """Adds the agent to a Faust app; ``topic`` is the batch topic of ``events.raw``."""

    @app.agent(topic, name="intake")  # type: ignore[misc]
    async def intake(stream: Any) -> None:
        await runner.run(stream)
