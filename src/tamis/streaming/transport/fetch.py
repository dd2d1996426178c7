"""Fetches the batch partitions of one epoch, beside the group consumer.

Rules: a group-less consumer at explicit offsets, `read_committed`; where nothing was ever committed it starts at the
beginning (or the end, as the app is configured). A partition with enough records waiting is left alone (what was
fetched for it stays compressed), in records and in bytes, so memory is bounded. Retention that overtook the fetch
position is reported, never skipped silently; a fetch position beyond the end of the log is a fault (the topic was
truncated or made anew), and so is a topic that was deleted. `prove` asks the broker where an idle partition ends, after
reading the clock.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import aiokafka
from aiokafka.errors import OffsetOutOfRangeError
from faust.exceptions import FaustError
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth, server_list

from tamis.streaming.transport.unpack import take

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiokafka.structs import TopicPartition

    from tamis.streaming.transport.epoch import Epoch
    from tamis.streaming.transport.partition import PartitionState

POLL_S = 0.5
PROVE_S = 0.2
WATCH_TOPICS_S = 1.0
GONE_S = 10.0
MOST_BYTES = 8 << 20  # of values waiting in one partition; a whole batch of usual events has less than half
FETCH_FACTOR = 16  # a whole fetch may be this many times as large as one partition's share


class Fetching:
    """The input of one epoch."""

    def __init__(self, epoch: Epoch) -> None:
        self._epoch, self._transport, self._app = epoch, epoch.transport, epoch.app
        self._client = self._new_consumer()
        self._fetcher: Any = None
        self._room = asyncio.Event()

    def _new_consumer(self) -> Any:
        transport, conf = self._transport, self._app.conf
        committed_only = self._epoch.exactly_once or transport.read_committed
        return aiokafka.AIOKafkaConsumer(
            bootstrap_servers=server_list(transport.url, transport.default_port),
            client_id=f"{conf.broker_client_id}-fetch",
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            max_poll_records=None,
            isolation_level="read_committed" if committed_only else "read_uncommitted",
            max_partition_fetch_bytes=conf.consumer_max_fetch_size,
            fetch_max_bytes=conf.consumer_max_fetch_size * FETCH_FACTOR,
            fetch_max_wait_ms=transport.fetch_max_wait_ms,
            fetch_min_bytes=transport.fetch_min_bytes,
            check_crcs=conf.broker_check_crcs,
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            metadata_max_age_ms=conf.consumer_metadata_max_age_ms,
            **credentials_to_aiokafka_auth(conf.broker_credentials, conf.ssl_context),
        )

    async def open(self, committed: Mapping[TopicPartition, int | None]) -> dict[TopicPartition, int]:
        """Start at the committed offsets; returns where each partition starts."""
        client = self._client
        await client.start()
        self._fetcher = client._fetcher  # noqa: SLF001 - records are taken from it in bulk; pinned
        client.assign(list(committed))
        fresh = [tp for tp, offset in committed.items() if offset is None]
        start = {tp: offset for tp, offset in committed.items() if offset is not None}
        if fresh:
            earliest = self._app.conf.consumer_auto_offset_reset == "earliest"
            start |= await (client.beginning_offsets(fresh) if earliest else client.end_offsets(fresh))
        for tp, offset in start.items():
            client.seek(tp, offset)
        return start

    # -- records

    async def pull(self) -> None:
        """Move fetched records into the partitions' buffers, for as long as the epoch lives."""
        while True:
            try:
                self._take_all()
            except OffsetOutOfRangeError as error:
                await self._out_of_range(error)
                continue
            await self._wait_for_more()

    def _take_all(self) -> None:
        fetcher, most = self._fetcher, self._transport.max_batch_records
        for tp, state in self._epoch.states.items():
            room, room_bytes = most - state.buffered(), MOST_BYTES - state.size()
            if room > 0 and room_bytes > 0:
                records, size = take(fetcher, tp, room, room_bytes)
                if records:
                    state.append(records, self._position(tp), size)  # past markers and compaction holes
                    self._transport.clock.waits(tp.topic, records[0])
                    self._epoch.lanes[tp.topic].changed.set()

    async def _wait_for_more(self) -> None:
        self._room.clear()
        fetcher = self._fetcher
        fetched = fetcher._create_fetch_waiter()  # noqa: SLF001 - what getmany waits on; pinned
        room = asyncio.ensure_future(self._room.wait())
        waits = [fetched, room, fetcher.error_future]
        try:
            await asyncio.wait(waits, timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED)
            if fetcher.error_future.done():
                raise FaustError("aiokafka stopped fetching") from fetcher.error_future.exception()
            if fetched.done():
                fetched.result()  # a fatal error of the client
        finally:
            fetched.cancel()
            room.cancel()

    def drained(self) -> None:
        """Records were taken out of a buffer."""
        self._room.set()

    def _position(self, tp: TopicPartition) -> int:
        return int(self._client._subscription.subscription.assignment.state_value(tp).position)  # noqa: SLF001 - pinned

    async def _out_of_range(self, error: OffsetOutOfRangeError) -> None:
        states = self._epoch.states
        beginning = await self._client.beginning_offsets(list(states))
        overtaken = [state for tp, state in states.items() if state.fetched < beginning[tp]]
        if not overtaken:
            raise error
        for state in overtaken:
            first, until = state.lose(beginning[state.tp])
            self._app.log.critical("EVENTS LOST to retention: %s offsets %s..%s", state.tp, first, until - 1)
            self._client.seek(state.tp, until)
            self._epoch.lanes[state.tp.topic].changed.set()

    # -- idle partitions

    async def prove(self) -> None:
        """Find out, for partitions due an empty batch, that nothing is left up to a time read before asking."""
        while True:
            await asyncio.sleep(PROVE_S)
            now = time.monotonic()
            for lane in self._epoch.lanes.values():
                wanting = lane.wants_proof(now)
                clock = self._transport.clock.read(lane.clock_topic)
                if wanting and clock is not None:
                    ends = await self._client.end_offsets([state.tp for state in wanting])
                    for state in wanting:
                        state.proven_clock, state.proven_end = clock, ends[state.tp]
                for state in lane.states:
                    self._refresh(state, now)
                if any(state.proven_end is not None for state in lane.states):
                    lane.changed.set()

    async def watch_topics(self) -> None:
        """End the worker when a topic is gone for good (for a moment it may be, while its leader changes)."""
        gone_since: dict[str, float] = {}
        while True:
            await asyncio.sleep(WATCH_TOPICS_S)
            for topic in self._epoch.lanes:
                if self._client.partitions_for_topic(topic) is not None:
                    gone_since.pop(topic, None)
                elif time.monotonic() - gone_since.setdefault(topic, time.monotonic()) > GONE_S:
                    raise FaustError(f"topic {topic} does not exist any more")

    def _refresh(self, state: PartitionState, now: float) -> None:
        if state.chunks or state.proven_end is None:
            state.behind_since = None
            return
        state.fetched = self._position(state.tp)  # markers alone move it too
        behind = state.fetched < state.proven_end
        state.behind_since = (state.behind_since or now) if behind else None

    # -- facts

    def highwater(self, tp: TopicPartition) -> int | None:
        """The end of a partition as of the last fetch."""
        return self._client.highwater(tp)  # type: ignore[no-any-return]

    def stuck(self, after_s: float) -> str | None:
        """A partition that has records at the broker but gets none."""
        now = time.monotonic()
        for state in self._epoch.states.values():
            if state.behind_since is not None and now - state.behind_since > after_s:
                return f"{state.tp} gets no records at {state.fetched}, its end is {state.proven_end}"
        return None

    async def close(self) -> None:
        """Close the client."""
        await self._client.stop()
