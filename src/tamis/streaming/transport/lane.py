"""Hands out the batches of one topic to its agent, one at a time.

Rules: the agent holds at most one batch; a partition has at most one batch away. A partition whose last batch was small
waits `linger_s` before its next one, so that a quiet stream does not cost a transaction per record. Nothing of a gated
topic is handed out while a gate is closed. Records of a delayed topic go when due; due records are a prefix. An idle
partition gets an empty batch once the broker has said, after the clock was read, that nothing is left. An interval lost
to retention goes with the next batch, at once. A batch that does not start where the last one ended is a fault.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from faust.exceptions import FaustError
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from tamis.streaming.transport.batch import Batch
from tamis.streaming.transport.outbox import Outbox

if TYPE_CHECKING:
    from tamis.streaming.transport.epoch import Epoch
    from tamis.streaming.transport.partition import Cut, PartitionState
    from tamis.streaming.transport.topic import HandOutPolicy

GATE_POLL_S = 0.1
DUE_POLL_S = 0.1
MOST_COMMITTING = 4  # batches of a topic on their way to the broker; more only cost memory


class Lane:
    """One batch topic of one epoch."""

    def __init__(self, epoch: Epoch, topic: str, policy: HandOutPolicy, states: list[PartitionState]) -> None:
        self.epoch, self.topic, self.policy, self.states = epoch, topic, policy, states
        self.transport = epoch.transport
        self.clock_topic = policy.clock_topic or topic
        self.batch: Batch | None = None
        self.changed = asyncio.Event()
        self._turn = 0

    # -- the loop

    async def run(self) -> None:
        """Hand out batches for as long as the epoch lives."""
        while True:
            self.changed.clear()
            if self.batch is None and sum(state.away for state in self.states) < MOST_COMMITTING:
                if self.policy.gated and self._gate_closed():
                    await asyncio.sleep(GATE_POLL_S)
                    continue
                batch = self._next_batch()
                if batch is not None:
                    await self._hand_out(batch)
                    continue
            await self._wait()

    async def _wait(self) -> None:
        now = time.monotonic()
        waits = [s.not_before - now for s in self.states if s.chunks and not s.away and s.not_before > now]
        if self.policy.due_ms():
            waits.append(DUE_POLL_S)
        try:
            await asyncio.wait_for(self.changed.wait(), min(waits, default=None))
        except TimeoutError:
            return

    def _gate_closed(self) -> bool:
        reason = self.transport.gate_closed()
        self.epoch.report_gate(self.topic, reason)
        return reason is not None

    # -- choosing

    def _next_batch(self) -> Batch | None:
        states, now = self.states, time.monotonic()
        latest = self._latest_due()
        for i in range(len(states)):
            state = states[(self._turn + i) % len(states)]
            if state.away:
                continue
            cut = self._cut(state, now, latest)
            if cut is not None:
                self._turn = (self._turn + i + 1) % len(states)
                return self._batch(state, cut)
        return None

    def _latest_due(self) -> int | None:
        if not self.policy.due_ms():
            return None
        now = self.transport.clock.read(self.clock_topic)
        return -1 if now is None else now - self.policy.due_ms()

    def _cut(self, state: PartitionState, now: float, latest: int | None) -> Cut | None:
        most = self.transport.max_batch_records
        if state.chunks:
            if state.chunks[0].lost:
                return state.cut(state.due(most, latest))
            if now >= state.not_before or state.buffered() >= most // 4:
                due = state.due(most, latest)
                if due:
                    return state.cut(due)
        return state.cut_empty() if self._idle(state, latest) else None

    def _idle(self, state: PartitionState, latest: int | None) -> bool:
        """Whether it is proven that nothing was due up to `proven_clock`."""
        clock, end = state.proven_clock, state.proven_end
        if clock is None or end is None:
            return False
        if not state.chunks:
            return state.fetched >= end
        return latest is not None and state.chunks[0].records[0].timestamp > clock - self.policy.due_ms()

    def wants_proof(self, now: float) -> list[PartitionState]:
        """Partitions that are due an empty batch, if nothing else comes."""
        every = self.policy.empty_every_s
        if every is None:
            return []
        quiet = [s for s in self.states if not s.away and (not s.chunks or self.policy.due_ms())]
        return [s for s in quiet if s.proven_clock is None and now - s.last_batch_at >= every]

    # -- handing out and taking back

    def _batch(self, state: PartitionState, cut: Cut) -> Batch:
        clock = self._clock_of(state, cut)
        state.proven_clock = state.proven_end = None
        state.away = True
        state.last_batch_at = now = time.monotonic()
        small = len(cut.records) < self.transport.max_batch_records // 4
        state.not_before = now + self.transport.linger_s if small and cut.records else 0.0
        return Batch(self, state, cut, clock, Outbox(self.epoch.producer(state.tp).create_batch))

    def _clock_of(self, state: PartitionState, cut: Cut) -> int:
        if cut.records:
            return int(cut.records[-1].timestamp)
        if state.proven_clock is not None and not cut.lost:
            return state.proven_clock - self.policy.due_ms()
        return max(0, (self.transport.clock.read(self.clock_topic) or 0) - self.policy.due_ms())

    async def _hand_out(self, batch: Batch) -> None:
        self.batch = batch
        self.transport.clock.saw(self.topic, batch.records)
        self.epoch.drained()
        tp = TP(batch.topic, batch.partition)
        offset = self.epoch.next_sequence()  # only Faust's bookkeeping of acks sees it; it must never repeat
        seconds = batch.clock / 1000.0
        stamp: Any = (seconds, 0, None, None)
        message = ConsumerMessage(
            tp.topic, tp.partition, offset, *stamp, batch, None, 0, 0, tp, generation_id=self.epoch.generation
        )
        await self.epoch.consumer.callback(message)

    async def enter(self, batch: Batch) -> None:
        """The agent begins with a batch; checks the guard."""
        start = batch.lost[0] if batch.lost else batch.first
        fault = None
        if self.epoch.closed or batch is not self.batch or batch.entered_at is not None:
            fault = FaustError(f"{batch!r} is not the one handed out")
        elif start != batch.state.expect:
            fault = FaustError(f"offset gap: {batch!r} starts at {start}, expected {batch.state.expect}")
        if fault is not None:
            await self.epoch.die(fault)
            raise fault
        batch.entered_at = time.monotonic()

    async def leave(self, batch: Batch) -> None:
        """The agent is done: deliver and commit beside the agent's next batch."""
        batch.state.expect = batch.next
        batch.records = []  # free them before the commit
        self.epoch.commit_soon(self, batch)
        self.batch = None
        self.changed.set()

    def passed(self, batch: Batch) -> None:
        """The agent went on; it must have entered the batch."""
        if batch is self.batch and batch.entered_at is None:
            self.epoch.die_soon(FaustError(f"the agent skipped {batch!r}"))

    async def fail(self, error: Exception) -> None:
        """The agent raised inside a batch."""
        await self.epoch.die(error)

    def returned(self, state: PartitionState) -> None:
        """The partition's batch is committed: it may have the next one."""
        state.away = False
        self.changed.set()
