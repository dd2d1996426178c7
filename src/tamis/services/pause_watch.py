"""Pauses intake when too much of everything is refused, and lets it go on when somebody says so.

Rules: a thread of each intake worker follows ``metrics.windows`` from its end and ``intake.control`` from its start;
whoever sees the excess writes the pause, and all obey it, also after a restart; only ``tamis resume`` ends it. While
the topics are out of reach nothing changes; whatever else goes wrong ends the process.
"""

import asyncio
import os
import threading
from typing import Any

import msgspec
import structlog

from tamis.domain.outcome import Outcome
from tamis.domain.refused_share import RefusalLimit, RefusedShare
from tamis.kafka.follower import KafkaStateSource
from tamis.kafka.loading import Loader, LoadError, Outgoing
from tamis.ports import StateLostError
from tamis.records.pauses import PAUSED, PauseState, encode_pause
from tamis.records.topics import Topic
from tamis.settings import Settings, UnreachableError

REASON = "quarantine_ratio"
POLL_S = 0.5
AGAIN_S = 3.0
EXIT_FATAL = 70
_MAX_ROWS = 5_000
_REFUSED = frozenset({Outcome.INVALID.value, Outcome.CONFLICT.value})


class _Cell(msgspec.Struct, array_like=True, gc=False):
    outcome: str
    reason: str
    n: int


class _Window(msgspec.Struct, gc=False):
    """As much of ``records.metrics.Window`` as is counted; other records of the topic have no cells."""

    minute: int = -1
    cells: tuple[_Cell, ...] = ()


_read = msgspec.json.Decoder(_Window).decode


class PauseWatch:
    """One worker's view.

    Args:
        settings: of the worker.
    """

    def __init__(self, settings: Settings) -> None:
        limits = settings.quarantine
        self._settings = settings
        self._limit = RefusalLimit(
            max_ratio=limits.max_ratio, window_minutes=limits.window_minutes, min_events=limits.min_events
        )
        self._state = PauseState()
        self._known = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pause", daemon=True)
        self._log = structlog.get_logger("tamis.pause")

    def start(self) -> None:
        """Begin to follow, unless there is no limit."""
        if self._limit.max_ratio:
            self._thread.start()

    def gate(self) -> str | None:
        """Why intake must wait, None when it may go on; it waits too until the topic was read once."""
        if not self._limit.max_ratio:
            return None
        return REASON if self._state.active is not None or not self._known.is_set() else None

    def close(self) -> None:
        """Ends the thread."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(10 * POLL_S)

    # -- the thread

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    asyncio.run(self._follow())
                except (UnreachableError, StateLostError, LoadError) as error:
                    self._log.warning("topics of the pause out of reach", why=str(error))
                    self._stop.wait(AGAIN_S)
        except Exception:  # noqa: BLE001 - whatever it is, nobody would notice a bad deploy any more
            self._log.critical("the watcher of the pause ends", exc_info=True)
            os._exit(EXIT_FATAL)

    async def _follow(self) -> None:
        control = KafkaStateSource(self._settings.kafka, self._settings.topic(Topic.INTAKE_CONTROL))
        windows = KafkaStateSource(self._settings.kafka, self._settings.topic(Topic.METRICS_WINDOWS))
        share = RefusedShare(self._limit)
        try:
            bounds = await control.bounds()
            await control.start(bounds.low)
            await windows.start((await windows.bounds()).high)
            reached = dict(bounds.low)
            while not self._stop.is_set():
                said = await control.poll(_MAX_ROWS, POLL_S, fill=False)
                for _, _, key, value in said.rows:
                    self._take(key, value)
                reached |= said.next_offsets
                if all(reached[partition] >= end for partition, end in bounds.high.items()):
                    self._known.set()
                    self._count(share, await windows.poll(_MAX_ROWS, POLL_S, fill=False))
        finally:
            await control.close()
            await windows.close()

    def _take(self, key: bytes | None, value: bytes | None) -> None:
        before = self._state.active
        self._state.apply(key, value)
        now = self._state.active
        if now is not None and now != before:
            self._log.error("intake paused: too much is refused", count=now.refused, why=f"of {now.events} events")
        elif now is None and before is not None:
            self._log.info("intake goes on")

    def _count(self, share: RefusedShare, found: Any) -> None:
        for _, _, _, value in found.rows:
            window = _read(value or b"{}")
            if window.minute >= 0:
                share.add(window.minute, ((cell.outcome in _REFUSED, cell.n) for cell in window.cells))
        excess = share.excess(self._state.covered) if found.rows else None
        if excess is not None and self._state.active is None:
            with Loader(self._settings.kafka, linger_ms=0) as loader:
                topic = self._settings.topic(Topic.INTAKE_CONTROL)
                loader.load(topic, [Outgoing(0, PAUSED, encode_pause(excess))])
