"""Faust's group consumer, with batch topics taken out of its hands.

Rules: the group consumer keeps membership, rebalancing, table changelogs and stock topics; batch topics are paused in
it, and an `Epoch` per group generation owns them. Nothing that was fetched is thrown away (stock Faust discards records
of a fetch that outlives a rebalance, and trusts a later seek that does not happen where nothing was committed). The
order that Faust's recovery follows is relied upon and pinned by tests/contract/test_pinned_internals.py.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aiokafka.structs import TopicPartition
from faust.exceptions import FaustError, ImproperlyConfigured
from faust.transport.drivers import aiokafka as driver
from mode import Service

from tamis.streaming.transport.changelog import ChangelogFeed
from tamis.streaming.transport.epoch import Epoch
from tamis.streaming.transport.fatal import die
from tamis.streaming.transport.topic import HandOutPolicy, batch_policies

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

WATCH_SECONDS = 5.0
PAUSE_SECONDS = 0.2


class Fetched(dict[Any, Any]):
    """Records by partition, and the generation they were taken in."""

    def __init__(self, records: Mapping[Any, Any], generation: int) -> None:
        super().__init__(records)
        self.generation = generation


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """The group consumer's thread: fetches everything but batch topics, and puts back what nobody may have."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        self.consumer.in_transaction = transport.exactly_once or transport.read_committed  # steers isolation_level only
        try:
            return super()._create_worker_consumer(transport)
        finally:
            self.consumer.in_transaction = False

    async def on_partitions_assigned(self, assigned: set[Any], generation_id: int = 0) -> None:
        """Pause batch topics before anything of the new assignment is fetched."""
        mine = [TopicPartition(*tp) for tp in assigned if tp.topic in self.consumer.policies()]
        if mine:
            self._consumer.pause(*mine)
        await super().on_partitions_assigned(assigned, generation_id)

    async def _fetch_records(
        self,
        consumer: Any,
        active_partitions: Any,
        timeout: Any = None,  # noqa: ASYNC109 - Faust's signature
        max_records: Any = None,
    ) -> Any:
        # aiokafka reads an empty set as "all partitions", and stock passes a live set that may become empty meanwhile.
        wanted = frozenset(tp for tp in active_partitions or () if tp.topic not in self.consumer.policies())
        generation = self.app.consumer_generation_id
        if not wanted:
            await asyncio.sleep(min(timeout or PAUSE_SECONDS, PAUSE_SECONDS))
            return {}
        records = await super()._fetch_records(consumer, wanted, timeout, max_records)
        if records and (not self.consumer.flow_active or generation != self.app.consumer_generation_id):
            for tp, some in records.items():
                if tp in consumer.assignment():
                    consumer.seek(tp, some[0].offset)
            return {}
        return Fetched(records, generation)


class Consumer(driver.Consumer):
    """The app's consumer: an epoch per generation for batch topics, stock behaviour for the rest."""

    epoch: Epoch | None = None

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def policies(self) -> dict[str, HandOutPolicy]:
        """Hand-out policy by batch topic."""
        return batch_policies(self.app)

    async def committed_offset(self, tp: TopicPartition) -> int | None:
        """The group's committed offset of a partition."""
        offset: int | None = await self._thread.call_thread(self._thread._ensure_consumer().committed, tp)  # noqa: SLF001 - Faust's own driver does the same
        return offset

    async def commit_offsets(self, offsets: Mapping[Any, int]) -> bool:
        """Commit offsets outside any transaction."""
        return bool(await self._commit(offsets))

    # -- an epoch's life: assigned = open, tables restored (perform_seek) = start, flow stopped = halt, revoked = close

    async def on_partitions_assigned(self, assigned: set[Any], generation_id: int = 0) -> None:
        """Open the new generation's epoch, then let Faust restore tables."""
        if self.epoch is not None:
            await self.epoch.close()
        self.app.tables.recovery.signal_recovery_end.clear()  # a leftover would end the next recovery at once
        try:
            names = self._checked_topics()
            mine = [TopicPartition(*tp) for tp in assigned if tp.topic in names]
            self.epoch = Epoch(self, mine, generation_id)
            await self.epoch.open()
        except Exception as fault:  # aiokafka would only log it
            await die(self.app, fault)
            raise
        await super().on_partitions_assigned(assigned, generation_id)

    def _checked_topics(self) -> set[str]:
        names = set(self.policies())
        for name in names:
            agents = [a for a in self.app.agents.values() if name in getattr(a.channel, "topics", ())]
            if len(agents) > 1 or any(agent.concurrency != 1 for agent in agents):
                raise ImproperlyConfigured(f"batch topic {name} needs exactly one agent with concurrency=1")
        return names

    async def perform_seek(self) -> None:
        """Tables are restored: rewind stock topics, then start the epoch."""
        super().stop_flow()  # recovery resumes it; stock leaves it on and then clears the agents' queues
        await super().perform_seek()
        names = self.policies()
        for tp in self.assignment():
            if tp.topic in names:
                self._committed_offset[tp] = None  # acks of batches are only bookkeeping
        await self._rewind_uncommitted(names)
        if self.epoch is not None and self.epoch.generation == self.app.tables.recovery._generation_id:  # noqa: SLF001 - pinned
            self.epoch.start()

    async def _rewind_uncommitted(self, names: Mapping[str, Any]) -> None:
        acks = self.app.topics.acks_enabled_for
        stock = [tp for tp in self.assignment() if acks(tp.topic) and tp.topic not in names]
        never = [TopicPartition(*tp) for tp in stock if self._read_offset.get(tp) is None]
        if never and self.app.conf.consumer_auto_offset_reset == "earliest":
            await self._thread.seek_to_beginning(*never)  # stock does not rewind where nothing is committed

    def stop_flow(self) -> None:
        """Stop handing out; called before queues are cleared."""
        super().stop_flow()
        if self.epoch is not None:
            self.epoch.halt()

    async def on_partitions_revoked(self, revoked: set[Any]) -> None:
        """Finish what agents hold, then give the generation up."""
        if self.epoch is not None:
            self.epoch.halt()
        await super().on_partitions_revoked(revoked)
        if self.epoch is not None:
            await self.epoch.close()

    async def wait_empty(self) -> None:
        """Agents finish their batches, and the batches commit, before partitions go."""
        await super().wait_empty()
        if self.epoch is not None:
            await self.epoch.settle()

    async def on_stop(self) -> None:
        """Drain and close."""
        await super().on_stop()
        if self.epoch is not None:
            await self.epoch.close()

    async def on_task_error(self, exc: BaseException) -> None:
        """An agent raised outside a batch: crash-only, nothing is committed on the way."""
        await die(self.app, exc)

    # -- commits and acks

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Commit batch topics (at-least-once only) and stock topics."""
        if self.epoch is not None:
            await self.epoch.commit()
        return bool(await super().commit(topics, start_new_transaction))

    def _new_offset(self, tp: Any) -> Any:
        if tp.topic not in self.policies():
            return super()._new_offset(tp)
        self._acked[tp].clear()
        self._acked_index[tp].clear()
        return None

    def verify_event_path(self, now: float, tp: Any) -> None:
        """Stock liveness checks do not know batch topics; `_watch_epoch` does."""
        if tp.topic not in self.policies():
            super().verify_event_path(now, tp)

    @Service.task
    async def _watch_epoch(self) -> None:
        while not self.should_stop:
            await self.sleep(min(WATCH_SECONDS, self.transport.stuck_after_s))
            reason = self.epoch.stuck(self.transport.stuck_after_s) if self.epoch is not None else None
            if reason is not None:
                await die(self.app, FaustError(f"no progress for {self.transport.stuck_after_s} s: {reason}"))
                return

    # -- stock path: changelogs, standbys and stock topics

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[Any, Any]]:  # noqa: ASYNC109 - Faust's signature
        """As stock, but nothing fetched is thrown away, and changelogs take the fast path."""
        records, _ = await self._wait_next_records(timeout)
        feed = ChangelogFeed(self)
        if self.should_stop:
            return
        if not records:
            await feed.check_end()
            return
        generation = records.generation
        if not self.flow_active:  # stopped while these were on the way; stock topics are rewound by perform_seek
            await self.wait(self.can_resume_flow)
            records = {tp: some for tp, some in records.items() if self._is_changelog_tp(tp)}
        if self.should_stop or self.app.consumer_generation_id != generation:
            return  # positions of the new assignment were set afterwards
        for tp, record in self.scheduler.iterate(await feed.restore(dict(records), generation)):
            if not self.flow_active or self.app.consumer_generation_id != generation:
                return
            self.app.monitor.track_tp_end_offset(tp, self.highwater(tp))
            yield tp, self._to_message(tp, record)
