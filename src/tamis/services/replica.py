"""Keeps the consent replica of this host up to date: follows ``consent.state`` for ever.

Rules: what cannot be continued is built anew from the beginning: a topic that is another one, offsets that are gone, a
copy that was offline so long that deletions may have been compacted away, damage found by a reader or by LMDB. Offsets
move only with what they stand for. "Caught up" means: past the end that the topic had when following began.
Not handled here: what readers do meanwhile (``stores.consent_view`` closes the gate), restarts (the supervisor).
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog

from tamis.ports import StateBounds, StateLostError, StateRows, StateSource
from tamis.settings import SetupError
from tamis.stores.replica import ReplicaDamagedError, ReplicaWriter
from tamis.stores.replica_file import ReplicaIdentity

MOST_REBUILDS = 3


class ReplicaPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How a replica is kept.

    Attributes:
        max_bytes: most the file may take.
        max_rows: rows of one LMDB transaction.
        poll_s: longest wait for a record.
        max_offline_ms: offline for longer it is built anew; less than ``delete.retention.ms`` of the topic (1 day).
        progress_s: a line is logged so often while it catches up.
    """

    max_bytes: int = 16 << 30
    max_rows: int = 50_000
    poll_s: float = 0.5
    max_offline_ms: int = 12 * 3_600_000
    progress_s: float = 5.0


class ReplicaProgress(msgspec.Struct, frozen=True, kw_only=True):
    """Where it is, for metrics.

    Attributes:
        applied: rows applied since it was opened.
        changed: subject records written or deleted since then.
        behind: offsets still to go to the end as it was when following began; 0 when caught up.
        oldest_clock: ms, -1 while unknown.
        enforced: seconds from the receipt of each refusal that this poll brought until it was in the copy.
    """

    applied: int
    changed: int
    behind: int
    oldest_clock: int
    enforced: tuple[float, ...] = ()


def wall_clock_ms() -> int:
    """Now, ms."""
    return time.time_ns() // 1_000_000


class Replica:
    """One replica and the source it follows; make it with ``open_replica``.

    Attributes:
        writer: for a view in the same process.
        caught_up: set once it has caught up.
    """

    def __init__(
        self,
        source: StateSource,
        writer: ReplicaWriter,
        bounds: StateBounds,
        policy: ReplicaPolicy,
        on_progress: Callable[[ReplicaProgress], None],
    ) -> None:
        self.writer = writer
        self.caught_up = asyncio.Event()
        self._source = source
        self._bounds = bounds
        self._policy = policy
        self._on_progress = on_progress
        self._log = structlog.get_logger("tamis.replica")
        self._ahead: asyncio.Future[StateRows] | None = None
        self._positions: dict[int, int] = {}
        self._applied = self._changed = self._rebuilds = 0
        self._said_at = time.monotonic()

    async def follow(self, stop: asyncio.Event) -> None:
        """Follow the topic until ``stop`` is set.

        Raises:
            ReplicaError: no room, or damage that comes back.
            SetupError: the topic is gone.
        """
        self._log.info("replica opened", state=self.writer.opened, folder=str(self.writer.place.folder))
        await self._start()
        try:
            while not stop.is_set():
                await self._step()
        finally:
            await self._forget_ahead()

    async def _step(self) -> None:
        try:
            if self.writer.rebuild_asked():
                await self._rebuild("a reader found damage")
            self._apply(await self._take())
        except StateLostError as lost:
            await self._rebuild(str(lost))
        except ReplicaDamagedError as damaged:
            await self._rebuild(str(damaged))

    async def _take(self) -> StateRows:
        """The next rows; those after them are polled, in a thread, while these are applied."""
        rows = await (self._ahead or self._poll())
        self._ahead = asyncio.ensure_future(self._poll())
        await asyncio.sleep(0)  # it starts now
        return rows

    async def _forget_ahead(self) -> None:
        if self._ahead is not None:
            with contextlib.suppress(StateLostError):
                await self._ahead
            self._ahead = None

    async def close(self) -> None:
        """Let go of file and topic."""
        await self._source.close()
        self.writer.close()

    async def _poll(self) -> StateRows:
        behind = not self.caught_up.is_set()
        return await self._source.poll(self._policy.max_rows, self._policy.poll_s, fill=behind)

    async def _start(self) -> None:
        kept = self.writer.positions()
        self._positions = {p: kept.get(p, low) for p, low in self._bounds.low.items()}
        await self._source.start(self._positions)
        self._apply(StateRows([], {}))

    async def _rebuild(self, why: str) -> None:
        self._rebuilds += 1
        if self._rebuilds > MOST_REBUILDS:
            raise SetupError(f"the consent replica was rebuilt {MOST_REBUILDS} times and fails again: {why}")
        self._log.warning("replica rebuilt from the beginning", why=why)
        self.caught_up.clear()
        await self._forget_ahead()
        self.writer.rebuild(why)
        self._bounds = await self._source.bounds()
        await self._start()

    def _apply(self, polled: StateRows) -> None:
        self._positions |= polled.next_offsets
        news = self._note_caught_up()
        enforced: tuple[float, ...] = ()
        if polled.rows or news:
            self._applied += len(polled.rows)
            self._changed += self.writer.apply(
                polled.rows, self._positions, wall_clock_ms(), caught_up=self.caught_up.is_set()
            )
            now = wall_clock_ms()
            enforced = tuple(max(0, now - since) / 1000 for since in self.writer.refused)
        self._tell(enforced)

    def _note_caught_up(self) -> bool:
        if self.caught_up.is_set() or self._behind():
            return False
        self.caught_up.set()
        self._log.info("replica caught up", applied=self._applied, changed=self._changed)
        return True

    def _behind(self) -> int:
        return sum(max(0, high - self._positions[p]) for p, high in self._bounds.high.items())

    def _tell(self, enforced: tuple[float, ...]) -> None:
        behind = 0 if self.caught_up.is_set() else self._behind()
        seen = ReplicaProgress(
            applied=self._applied, changed=self._changed, behind=behind, oldest_clock=self.writer.oldest_clock(),
            enforced=enforced,
        )  # fmt: skip
        self._on_progress(seen)
        if behind and time.monotonic() - self._said_at >= self._policy.progress_s:
            self._said_at = time.monotonic()
            self._log.info("replica catching up", applied=self._applied, behind=behind)


async def open_replica(
    source: StateSource,
    folder: Path,
    policy: ReplicaPolicy | None = None,
    on_progress: Callable[[ReplicaProgress], None] = lambda _: None,
) -> Replica:
    """Open the replica of ``source`` in ``folder``, building it anew if it cannot be continued.

    Args:
        source: reads ``consent.state``.
        folder: the replica's folder; only one replica can be open there.
        policy: None for the defaults.
        on_progress: called after each poll.

    Raises:
        ReplicaError: the folder is in use or cannot be used.
        SetupError: the topic is not there or the cluster does not answer.
    """
    policy = policy or ReplicaPolicy()
    bounds = await source.bounds()
    identity = ReplicaIdentity(cluster=bounds.cluster, topic=bounds.identity, partitions=len(bounds.low))
    writer = ReplicaWriter(folder, identity, max_bytes=policy.max_bytes)
    why = why_not_continued(writer, bounds, wall_clock_ms(), policy.max_offline_ms)
    if why is not None:
        writer.rebuild(why)
    return Replica(source, writer, bounds, policy, on_progress)


def why_not_continued(writer: ReplicaWriter, bounds: StateBounds, now_ms: int, max_offline_ms: int) -> str | None:
    """Why a sound copy must be built anew all the same, None when it can go on.

    Args:
        writer: the opened copy.
        bounds: what the topic holds now.
        now_ms: wall clock.
        max_offline_ms: longest time after which deletions are still in the topic.
    """
    positions = writer.positions()
    for partition, offset in positions.items():
        if not bounds.low.get(partition, 0) <= offset <= bounds.high.get(partition, -1):
            return f"offset {offset} of partition {partition} is not in the topic"
    if positions and now_ms - writer.applied_at > max_offline_ms:
        return "it was offline so long that deletions may be gone from the topic"
    return None
