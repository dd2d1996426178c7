"""The hand-out rules on a fake epoch: who gets a batch next, and what counts as a fault."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka.structs import TopicPartition
from faust.exceptions import FaustError

from tamis.streaming.transport.clock import Clock, WallClock
from tamis.streaming.transport.lane import Lane
from tamis.streaming.transport.partition import PartitionState
from tamis.streaming.transport.topic import HandOutPolicy


@dataclass(frozen=True)
class Record:
    offset: int
    timestamp: int = 1


class FixedClock:
    def __init__(self, now: int | None) -> None:
        self.now = now

    def read(self, topic: str) -> int | None:
        return self.now

    def saw(self, topic: str, records: Any) -> None:
        pass


@dataclass
class Transport:
    max_batch_records: int = 10
    linger_s: float = 0.0
    clock: Clock = field(default_factory=WallClock)
    reason: str | None = None

    def gate_closed(self) -> str | None:
        return self.reason


class Epoch:
    closed = False
    generation = 1

    def __init__(self, transport: Transport) -> None:
        self.transport, self.consumer = transport, self
        self.handed: list[Any] = []
        self.committing: list[Any] = []
        self.faults: list[BaseException] = []
        self.gates: list[str | None] = []

    def producer(self, tp: Any) -> Any:
        return type("Producer", (), {"create_batch": None})

    def drained(self) -> None:
        pass

    def next_sequence(self) -> int:
        return len(self.handed)

    async def callback(self, message: Any) -> None:
        self.handed.append(message.value)

    def commit_soon(self, lane: Lane, batch: Any) -> None:
        self.committing.append(batch)

    def report_gate(self, topic: str, reason: str | None) -> None:
        self.gates.append(reason)

    def die_soon(self, fault: BaseException) -> None:
        self.faults.append(fault)

    async def die(self, fault: BaseException) -> None:
        self.faults.append(fault)


@dataclass
class Stage:
    epoch: Epoch
    lane: Lane
    states: list[PartitionState]

    async def play(self, seconds: float = 0.05) -> None:
        """Let the lane run until it has nothing more to hand out."""
        task = asyncio.ensure_future(self.lane.run())
        self.lane.changed.set()
        await asyncio.sleep(seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def take(self) -> Any:
        """The agent enters and leaves the batch in its hands."""
        batch = self.lane.batch
        assert batch is not None
        async with batch:
            pass
        return batch


def _stage(partitions: int = 2, policy: HandOutPolicy | None = None, **settings: Any) -> Stage:
    epoch = Epoch(Transport(**settings))
    states = [PartitionState.at(TopicPartition("t", p), 0) for p in range(partitions)]
    policy = policy or HandOutPolicy(empty_every_s=None)
    return Stage(epoch, Lane(epoch, "t", policy, states), states)  # type: ignore[arg-type]


def _fill(state: PartitionState, n: int, timestamp: int = 1) -> None:
    at = state.fetched
    state.append([Record(offset, timestamp) for offset in range(at, at + n)], at + n)


def test_the_agent_holds_one_batch_and_a_partition_has_one_away() -> None:
    async def scene() -> None:
        stage = _stage()
        for state in stage.states:
            _fill(state, 25)
        await stage.play()
        assert [(b.partition, len(b)) for b in stage.epoch.handed] == [(0, 10)]
        first = await stage.take()
        await stage.play()
        assert [b.partition for b in stage.epoch.handed] == [0, 1]
        await stage.take()
        await stage.play()
        assert len(stage.epoch.handed) == 2, "both partitions wait for their commits"
        stage.lane.returned(first.state)
        await stage.play()
        assert [(b.partition, b.first) for b in stage.epoch.handed] == [(0, 0), (1, 0), (0, 10)]

    asyncio.run(scene())


def test_a_partition_lingers_after_a_small_batch_unless_much_waits() -> None:
    async def scene() -> None:
        stage = _stage(1, linger_s=30.0, max_batch_records=100)
        state = stage.states[0]
        _fill(state, 3)
        await stage.play()
        stage.lane.returned((await stage.take()).state)
        _fill(state, 3)
        await stage.play()
        assert len(stage.epoch.handed) == 1
        _fill(state, 40)
        await stage.play()
        assert [len(b) for b in stage.epoch.handed] == [3, 43]

    asyncio.run(scene())


def test_an_empty_batch_needs_proof_that_nothing_is_left() -> None:
    async def scene() -> None:
        stage = _stage(1, HandOutPolicy(empty_every_s=1.0))
        state = stage.states[0]
        assert stage.lane.wants_proof(time.monotonic()) == [state]
        await stage.play()
        assert stage.epoch.handed == []
        state.proven_clock, state.proven_end = 4_000, 3
        await stage.play()
        assert stage.epoch.handed == [], "records up to 3 are on their way"
        state.fetched = 3  # markers only
        await stage.play()
        (batch,) = stage.epoch.handed
        assert (len(batch), batch.first, batch.next, batch.clock) == (0, 0, 3, 4_000)
        assert stage.lane.wants_proof(time.monotonic()) == []

    asyncio.run(scene())


def test_records_that_came_after_the_proof_go_first() -> None:
    async def scene() -> None:
        stage = _stage(1, HandOutPolicy(empty_every_s=1.0))
        state = stage.states[0]
        state.proven_clock, state.proven_end = 4_000, 0
        _fill(state, 2, timestamp=4_100)
        await stage.play()
        (batch,) = stage.epoch.handed
        assert (len(batch), batch.clock) == (2, 4_100)
        assert state.proven_clock is None

    asyncio.run(scene())


def test_a_delayed_topic_hands_out_what_is_due() -> None:
    async def scene() -> None:
        clock = FixedClock(1_000)
        stage = _stage(1, HandOutPolicy(delay_ms=100, empty_every_s=1.0), clock=clock)
        state = stage.states[0]
        _fill(state, 2, timestamp=900)
        _fill(state, 1, timestamp=950)
        await stage.play(0.15)
        assert [(b.first, b.next) for b in stage.epoch.handed] == [(0, 2)]
        stage.lane.returned((await stage.take()).state)
        state.proven_clock, state.proven_end = 1_020, 3
        await stage.play(0.15)
        empty = stage.epoch.handed[1]
        assert (len(empty), empty.first, empty.next, empty.clock) == (0, 2, 2, 920)
        stage.lane.returned((await stage.take()).state)
        clock.now = 1_050
        await stage.play(0.15)
        assert [(b.first, b.next, b.clock) for b in stage.epoch.handed[2:]] == [(2, 3, 950)]

    asyncio.run(scene())


def test_without_a_time_nothing_delayed_is_due() -> None:
    async def scene() -> None:
        stage = _stage(1, HandOutPolicy(delay_ms=100), clock=FixedClock(None))
        _fill(stage.states[0], 1)
        await stage.play(0.15)
        assert stage.epoch.handed == []

    asyncio.run(scene())


def test_a_closed_gate_holds_everything_of_a_gated_topic() -> None:
    async def scene() -> None:
        stage = _stage(1, HandOutPolicy(gated=True, empty_every_s=1.0), reason="stale")
        _fill(stage.states[0], 1)
        await stage.play()
        assert (stage.epoch.handed, set(stage.epoch.gates)) == ([], {"stale"})
        stage.lane.transport.reason = None
        await stage.play()
        assert len(stage.epoch.handed) == 1
        assert stage.epoch.gates[-1] is None

    asyncio.run(scene())


def test_a_lost_interval_is_handed_out_at_once() -> None:
    async def scene() -> None:
        stage = _stage(1)
        stage.states[0].lose(7)
        await stage.play()
        batch = await stage.take()
        assert (batch.lost, batch.first, batch.next, batch.committed) == ((0, 7), 7, 7, 0)
        assert stage.epoch.faults == []

    asyncio.run(scene())


def test_a_gap_is_a_fault() -> None:
    async def scene() -> None:
        stage = _stage(1)
        _fill(stage.states[0], 1)
        stage.states[0].expect = 5
        await stage.play()
        with pytest.raises(FaustError, match="offset gap"):
            await stage.take()
        assert len(stage.epoch.faults) == 1

    asyncio.run(scene())


def test_entering_twice_is_a_fault() -> None:
    async def scene() -> None:
        stage = _stage(1)
        _fill(stage.states[0], 1)
        await stage.play()
        batch = stage.lane.batch
        await stage.take()
        assert batch is not None
        with pytest.raises(FaustError, match="not the one handed out"):
            async with batch:
                pass

    asyncio.run(scene())


def test_passing_a_batch_by_is_a_fault() -> None:
    async def scene() -> None:
        stage = _stage(1)
        _fill(stage.states[0], 1)
        await stage.play()
        batch = stage.lane.batch
        assert batch is not None
        batch.passed()
        assert "skipped" in str(stage.epoch.faults[0])

    asyncio.run(scene())


def test_an_error_inside_a_batch_is_a_fault_and_nothing_is_committed() -> None:
    async def scene() -> None:
        stage = _stage(1)
        _fill(stage.states[0], 1)
        await stage.play()
        batch = stage.lane.batch
        assert batch is not None
        with pytest.raises(ValueError, match="poison"):
            async with batch:
                raise ValueError("poison")
        assert [type(f) for f in stage.epoch.faults] == [ValueError]
        assert stage.epoch.committing == []

    asyncio.run(scene())
