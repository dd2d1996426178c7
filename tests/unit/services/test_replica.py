"""Following consent.state with a source that implements the port: catching up, resuming, rebuilding, giving up."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tamis.ports import StateBounds, StateLostError, StateRow, StateRows
from tamis.services.replica import MOST_REBUILDS, Replica, ReplicaPolicy, ReplicaProgress, open_replica
from tamis.settings import SetupError
from tamis.stores.consent_view import LmdbConsentView
from tests.support.replica import beat, record, row

POLICY = ReplicaPolicy(max_rows=3, poll_s=0.01)


class MemoryTopic:
    """A topic of two partitions in memory; a source per opening."""

    def __init__(self) -> None:
        self.logs: dict[int, list[StateRow]] = {0: [], 1: []}
        self.identity = "consent.state/id-1"
        self.lost = 0

    def add(self, subject: str, revision: int = 1, partition: int = 0) -> None:
        log = self.logs[partition]
        log.append(row(len(log), subject, record(revision=revision), partition))

    def beat(self, partition: int, clock: int) -> None:
        log = self.logs[partition]
        log.append(beat(len(log), partition, {"0": clock}))


class MemorySource:
    """``ports.StateSource`` over a ``MemoryTopic``."""

    def __init__(self, topic: MemoryTopic) -> None:
        self.topic = topic
        self.started: list[dict[int, int]] = []
        self._at: dict[int, int] = {}

    async def bounds(self) -> StateBounds:
        logs = self.topic.logs
        return StateBounds(
            "cluster", self.topic.identity, dict.fromkeys(logs, 0), {p: len(log) for p, log in logs.items()}
        )

    async def start(self, positions: Mapping[int, int]) -> None:
        self.started.append(dict(positions))
        self._at = dict(positions)

    async def poll(self, max_rows: int, timeout_s: float, *, fill: bool) -> StateRows:
        if self.topic.lost:
            self.topic.lost -= 1
            raise StateLostError("offset 5 is gone")
        rows = [r for p, log in self.topic.logs.items() for r in log[self._at[p] :]][:max_rows]
        for partition, offset, _, _ in rows:
            self._at[partition] = offset + 1
        if not rows:
            await asyncio.sleep(timeout_s)
        return StateRows(rows, dict(self._at))

    async def close(self) -> None:
        self._at.clear()


class Run:
    """A replica followed in the background."""

    def __init__(self, replica: Replica, source: MemorySource) -> None:
        self.replica, self.source = replica, source
        self.view = LmdbConsentView(replica.writer.place.folder, writer=replica.writer)
        self._stop = asyncio.Event()
        self.task = asyncio.create_task(replica.follow(self._stop))

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                assert not self.task.done(), self.task.exception()
                await asyncio.sleep(0.002)

    async def knows(self, subject: str, revision: int = 1) -> None:
        def known() -> bool:
            self.view.version()
            found = self.view.get(subject)
            return found is not None and found.revision == revision

        await self.until(known)

    async def end(self) -> None:
        self._stop.set()
        await self.task
        self.view.close()
        await self.replica.close()


async def run(topic: MemoryTopic, folder: Path, policy: ReplicaPolicy = POLICY) -> Run:
    source = MemorySource(topic)
    return Run(await open_replica(source, folder, policy), source)


@pytest.fixture
def topic() -> MemoryTopic:
    made = MemoryTopic()
    for number in range(10):
        made.add(f"s{number}", partition=number % 2)
    return made


def test_it_catches_up_and_goes_on(topic: MemoryTopic, tmp_path: Path) -> None:
    async def story() -> None:
        at = await run(topic, tmp_path)
        await at.until(at.replica.caught_up.is_set)
        await at.knows("s9")
        assert at.view.caught_up()
        assert at.view.gate(1_000, 60) == "consent_age_unknown"
        topic.beat(0, 1_000)
        topic.beat(1, 900)
        await at.until(lambda: at.view.gate(1_000, 60) is None)
        assert at.view.age(1_000) == 0.1
        topic.add("s3", revision=2, partition=1)
        await at.knows("s3", 2)
        await at.end()

    asyncio.run(story())


def test_it_is_not_caught_up_before_the_end_as_it_was(topic: MemoryTopic, tmp_path: Path) -> None:
    async def story() -> None:
        seen: list[ReplicaProgress] = []
        replica = await open_replica(MemorySource(topic), tmp_path, POLICY, seen.append)
        at = Run(replica, MemorySource(topic))
        await at.until(replica.caught_up.is_set)
        assert [progress.behind for progress in seen[:4]] == [10, 7, 4, 1]
        await at.end()

    asyncio.run(story())


def test_an_empty_topic_is_caught_up_at_once(tmp_path: Path) -> None:
    async def story() -> None:
        at = await run(MemoryTopic(), tmp_path)
        await at.until(at.view.caught_up)
        assert at.view.caught_up()
        await at.end()

    asyncio.run(story())


def test_it_resumes_where_it_ended(topic: MemoryTopic, tmp_path: Path) -> None:
    async def story() -> None:
        at = await run(topic, tmp_path)
        await at.until(at.replica.caught_up.is_set)
        await at.knows("s9")
        await at.end()
        topic.add("late", partition=1)
        again = await run(topic, tmp_path)
        await again.knows("late")
        assert again.source.started == [{0: 5, 1: 5}]
        assert again.replica.writer.opened == "resumed"
        await again.end()

    asyncio.run(story())


@pytest.mark.parametrize("change", ["identity", "shorter", "offline"])
def test_what_cannot_be_continued_is_built_anew(topic: MemoryTopic, tmp_path: Path, change: str) -> None:
    async def story() -> None:
        at = await run(topic, tmp_path)
        await at.knows("s9")
        await at.end()
        policy = POLICY
        if change == "identity":
            topic.identity = "consent.state/id-2"
        elif change == "shorter":
            topic.logs[0] = topic.logs[0][:2]
        else:
            policy = ReplicaPolicy(poll_s=0.01, max_offline_ms=-1)
        again = await run(topic, tmp_path, policy)
        await again.until(again.replica.caught_up.is_set)
        assert again.source.started == [{0: 0, 1: 0}]
        await again.knows("s9")
        assert (again.view.get("s8") is None) == (change == "shorter")
        await again.end()

    asyncio.run(story())


def test_damage_found_by_a_reader_is_mended_while_following(topic: MemoryTopic, tmp_path: Path) -> None:
    async def story() -> None:
        at = await run(topic, tmp_path)
        await at.knows("s9")
        at.replica.writer.place.rebuild.touch()
        await at.until(lambda: len(at.source.started) == 2 and at.replica.caught_up.is_set())
        await at.knows("s9")
        assert at.source.started[1] == {0: 0, 1: 0}
        await at.end()

    asyncio.run(story())


def test_offsets_that_are_gone_lead_to_a_rebuild(topic: MemoryTopic, tmp_path: Path) -> None:
    async def story() -> None:
        topic.lost = 1
        at = await run(topic, tmp_path)
        await at.knows("s9")
        assert len(at.source.started) == 2
        await at.end()

    asyncio.run(story())


def test_it_gives_up_when_rebuilding_does_not_help(topic: MemoryTopic, tmp_path: Path) -> None:
    async def story() -> None:
        topic.lost = 99
        at = await run(topic, tmp_path)
        with pytest.raises(SetupError, match=f"rebuilt {MOST_REBUILDS} times"):
            await asyncio.wait_for(at.task, 10)
        await at.replica.close()

    asyncio.run(story())
