"""Everything about the batch partitions of one group generation: born at assignment, dead at revocation.

Rules: no position, buffer, queue or producer survives a rebalance, so none can skip or repeat a record. Order: the
transactional producers are initialised first (that fences the previous owner and settles its open transaction), then
Faust restores tables, then the committed offsets are read, then records are fetched from them. One transactional
producer per input partition, because the offsets in aiokafka's transactions carry no generation and a producer per
worker would not fence. Any fault ends the worker.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import TYPE_CHECKING, Any

import aiokafka

from tamis.streaming.transport.commit import committed_offsets, deliver, deliver_in_transaction
from tamis.streaming.transport.fatal import die
from tamis.streaming.transport.fetch import Fetching
from tamis.streaming.transport.lane import Lane
from tamis.streaming.transport.partition import PartitionState
from tamis.streaming.transport.table import apply_changes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiokafka.structs import TopicPartition

    from tamis.streaming.transport.batch import Batch

CLOSE_SECONDS = 5.0
SETTLE_SECONDS = 20.0


class Epoch:
    """One generation's batch partitions.

    Args:
        consumer: the Faust consumer this generation belongs to.
        tps: the assigned partitions of batch topics.
        generation: the group's generation id.
    """

    def __init__(self, consumer: Any, tps: Iterable[TopicPartition], generation: int) -> None:
        self.consumer, self.app, self.transport = consumer, consumer.app, consumer.transport
        self.tps, self.generation = sorted(tps), generation
        self.exactly_once: bool = self.transport.exactly_once
        self.closed = self.halted = False
        self._last_words: asyncio.Task[None] | None = None
        self.lanes: dict[str, Lane] = {}
        self.states: dict[TopicPartition, PartitionState] = {}
        self.fetching: Fetching | None = None
        self._born = time.monotonic()
        self._producers: dict[TopicPartition, Any] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._commits: set[asyncio.Task[None]] = set()
        self._sequence = itertools.count()
        self._gates: dict[str, str | None] = {}
        self._commit_lock = asyncio.Lock()

    # -- birth

    async def open(self) -> None:
        """Initialise the transactional producers (exactly once only)."""
        self.transport.observer.epoch(self.generation, [tuple(tp) for tp in self.tps])
        if self.exactly_once and self.tps:
            await asyncio.gather(*map(self._open_producer, self.tps))

    async def _open_producer(self, tp: TopicPartition) -> None:
        settings = self.app.producer.transactional_settings()
        producer = aiokafka.AIOKafkaProducer(
            **settings,
            transactional_id=f"{self.app.conf.id}-{tp.topic}-{tp.partition}",
            transaction_timeout_ms=int(self.transport.transaction_timeout_s * 1000),
        )
        self._producers[tp] = producer
        await producer.start()

    def start(self) -> None:
        """Begin to fetch and hand out; tables are restored."""
        if self.tps and not self._tasks and not self.halted:
            self._tasks.append(asyncio.create_task(self._guarded(self._main())))

    async def _main(self) -> None:
        offsets = await committed_offsets(self.consumer, self.tps)
        self.fetching = Fetching(self)
        self.states = {tp: PartitionState.at(tp, at) for tp, at in (await self.fetching.open(offsets)).items()}
        for tp, state in self.states.items():
            state.resumed_at = offsets[tp]
        for topic, policy in self.consumer.policies().items():
            mine = [state for tp, state in self.states.items() if tp.topic == topic]
            if mine:
                self.lanes[topic] = Lane(self, topic, policy, mine)
        await self.consumer.can_resume_flow.wait()  # set after Faust has cleared the agents' queues
        fetching = self.fetching
        loops = [fetching.pull(), fetching.prove(), fetching.watch_topics()]
        loops += [lane.run() for lane in self.lanes.values()]
        self._tasks += [asyncio.create_task(self._guarded(loop)) for loop in loops]

    async def _guarded(self, work: Any) -> None:
        try:
            await work
        except Exception as fault:  # noqa: BLE001 - every fault ends the worker
            if not self.closed:
                await self.die(fault)

    # -- what lanes need

    def producer(self, tp: TopicPartition) -> Any:
        """The aiokafka producer for the outputs of one input partition."""
        return self._producers[tp] if self.exactly_once else self.app.producer.plain()

    def next_sequence(self) -> int:
        """A number never given before in this epoch."""
        return next(self._sequence)

    def drained(self) -> None:
        """Records were taken out of a partition's buffer."""
        if self.fetching is not None:
            self.fetching.drained()

    def report_gate(self, topic: str, reason: str | None) -> None:
        """Tell the observer when the gate of a topic changes."""
        if self._gates.get(topic) != reason:
            self._gates[topic] = reason
            self.transport.observer.gate(topic, reason)

    def die_soon(self, fault: BaseException) -> None:
        """End the worker, from code that cannot wait; a halted epoch needs no more faults."""
        if not self.halted:
            self._last_words = asyncio.create_task(self.die(fault))

    async def die(self, fault: BaseException) -> None:
        """End the worker."""
        self.halt()
        await die(self.app, fault)

    # -- commit

    def commit_soon(self, lane: Lane, batch: Batch) -> None:
        """Deliver and commit a batch its agent has left."""
        task = asyncio.create_task(self._guarded(self._finish(lane, batch)))
        self._commits.add(task)
        task.add_done_callback(self._commits.discard)

    async def _finish(self, lane: Lane, batch: Batch) -> None:
        left = time.monotonic()
        producer = self.producer(batch.state.tp)
        if self.exactly_once:
            await deliver_in_transaction(producer, batch, self.app.conf.id, self.transport.transaction_timeout_s)
            batch.state.committed = batch.next
            self._committed({batch.state.tp: batch.next})
        else:
            await deliver(producer, batch)
            batch.state.delivered = batch.next
        apply_changes(batch)
        for callback in batch.after_commit:
            callback()
        self._report(batch, left)
        lane.returned(batch.state)

    def _report(self, batch: Batch, left: float) -> None:
        observer, now = self.transport.observer, time.monotonic()
        held = left - (batch.entered_at or left)
        observer.batch_committed(batch.topic, batch.partition, batch.count, held, now - left)
        highwater = self.fetching.highwater(batch.state.tp) if self.fetching else None
        if highwater is not None:
            observer.lag(batch.topic, batch.partition, max(0, highwater - batch.next))

    def _committed(self, offsets: dict[Any, int]) -> None:
        self.app.monitor.on_tp_commit(offsets)
        self.app.tables.on_commit(offsets)

    async def commit(self) -> bool:
        """At-least-once: commit what is delivered. Exactly-once commits per batch."""
        async with self._commit_lock:
            new = {s.tp: s.delivered for s in self.states.values() if s.delivered > s.committed}
            if self.exactly_once or self.closed or not new or not await self.consumer.commit_offsets(new):
                return False
            for tp, offset in new.items():
                self.states[tp].committed = offset
            self._committed(new)
            return True

    async def settle(self) -> None:
        """Wait until every batch an agent has left is committed."""
        if self._commits:
            await asyncio.wait(set(self._commits), timeout=SETTLE_SECONDS)
        await self.commit()

    def stuck(self, after_s: float) -> str | None:
        """What has made no progress for `after_s`; a closed gate is no reason."""
        now = time.monotonic()
        if self.closed or not self.tps:
            return None
        if not self._tasks and not self.app.in_recovery and now - self._born > after_s:
            return "the generation was never started"
        for lane in self.lanes.values():
            if lane.batch is not None and now - lane.batch.handed_at > after_s:
                return f"{lane.batch!r} was not left"
        for state in self.states.values():
            if state.away and now - state.last_batch_at > after_s:
                return f"the batch of {state.tp} before offset {state.expect} was not committed"
        return self.fetching.stuck(after_s) if self.fetching else None

    # -- death

    def halt(self) -> None:
        """Hand out nothing more; batches in an agent's hands may still finish and commit."""
        self.halted = True
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()

    async def close(self) -> None:
        """Give up everything; a fenced or disconnected client must not hold up the rebalance."""
        self.closed = True
        self.halt()
        stops = [producer.stop() for producer in self._producers.values()]
        if self.fetching is not None:
            stops.append(self.fetching.close())
        if stops:
            await asyncio.wait([asyncio.ensure_future(stop) for stop in stops], timeout=CLOSE_SECONDS)
