"""Follows the topic ``rules`` for one worker: which bundle to run, and a report of which one runs.

Rules: a pointer is followed when its bundle is signed, valid and names topics that exist; else the bundle in use stays
and the reason is told (metric, log, report) until a pointer can be followed. A candidate that cannot be used is left
out. Under ``rules.source = folder`` the bundle is given and only reports are written. Runs in a thread of its own:
compiling does not hold up a batch; whoever asks gets the newest selection. An unreachable cluster is tried again, any
other fault ends the process.
"""

import asyncio
import os
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Protocol

import structlog

from tamis.bundles.candidate import with_shadow_rules
from tamis.bundles.problem import errors
from tamis.bundles.published import Published
from tamis.bundles.publishing import report_record
from tamis.domain.bundle import Bundle
from tamis.domain.selection import Selection
from tamis.kafka.follower import KafkaStateSource
from tamis.kafka.loading import LoadError
from tamis.ports import StateLostError
from tamis.records.rules import ACTIVE, SHADOW, WorkerReport
from tamis.records.topics import Topic
from tamis.services.rules_topic import missing_topics, write
from tamis.settings import Settings, UnreachableError

REPORT_EVERY_S = 30.0
POLL_S = 0.5
AGAIN_S = 3.0
EXIT_FATAL = 70
_MAX_ROWS = 1_000
_MAX_TOLD = 20


class RulesObserver(Protocol):
    """Told what becomes of pointers; called from the watcher's thread."""

    def following(self, seq: int) -> None:
        """The pointer of this number is followed."""

    def refused(self, part: str, line: int) -> None:
        """A pointer is not followed: the part at fault (``Problem.part``, or "topics") and its line."""

    def odd(self, records: int) -> None:
        """So many records of the topic do not count."""


class RulesWatch:
    """One worker's view of the topic.

    Args:
        settings: of the worker.
        published: empty, with the trusted keys.
        report: what reports say of the worker; bundle and times are filled in.
        observer: told what happens.
        bundle: given under ``rules.source = folder``; None to follow the topic.
    """

    def __init__(
        self,
        settings: Settings,
        published: Published,
        report: Callable[..., WorkerReport],
        observer: RulesObserver,
        bundle: Bundle | None = None,
    ) -> None:
        self._settings, self._published, self._report, self._observer = settings, published, report, observer
        self._selection = None if bundle is None else Selection(bundle, with_shadow_rules(bundle))
        self._follows = bundle is None
        self._refused: tuple[str, ...] = ()
        self._tried: tuple[int, int] = (0, 0)  # numbers of the pointers last looked at
        self._high = 0
        self._reported_at = 0.0
        self._stop = threading.Event()
        self._first = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rules", daemon=True)
        self._log = structlog.get_logger("tamis.rules")

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def wait(self, timeout_s: float) -> bool:
        """Whether there is a bundle to run; waits for one at most so long."""
        return self._selection is not None or self._first.wait(timeout_s)

    def selection(self) -> Selection:
        """The newest selection.

        Raises:
            RuntimeError: there is none yet: ``wait`` first.
        """
        if self._selection is None:
            raise RuntimeError("no rules yet")
        return self._selection

    def close(self) -> None:
        """Ends the thread and says in the topic that this worker stopped."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(POLL_S * 10)

    # -- the thread

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    asyncio.run(self._follow())
                except (UnreachableError, StateLostError, LoadError) as error:
                    self._log.warning("rules topic out of reach", why=str(error))
                    self._stop.wait(AGAIN_S)
        except Exception:  # noqa: BLE001 - whatever it is, nobody follows the topic any more
            self._log.critical("the rules watcher ends", exc_info=True)
            os._exit(EXIT_FATAL)  # crash-only: without it the worker would never hear of a rule again

    async def _follow(self) -> None:
        source = KafkaStateSource(self._settings.kafka, self._settings.topic(Topic.RULES))
        try:
            bounds = await source.bounds()
            next_offset, end = bounds.low[0], bounds.high[0]
            await source.start({0: next_offset})
            while not self._stop.is_set():
                found = await source.poll(_MAX_ROWS, POLL_S, fill=False)
                for _, offset, key, value in found.rows:
                    if offset >= self._high:  # after a reconnect what is known comes again
                        self._published.apply(key, value)
                        self._high = offset + 1
                next_offset = found.next_offsets.get(0, next_offset)
                if next_offset >= end:
                    self._look()
            self._say(ended=True)
        finally:
            await source.close()

    def _look(self) -> None:
        self._observer.odd(len(self._published.odd))
        active, shadow = self._published.pointer(ACTIVE), self._published.pointer(SHADOW)
        now = (active.seq if active else 0, shadow.seq if shadow else 0)
        due = time.monotonic() - self._reported_at > REPORT_EVERY_S
        again = due and bool(self._refused)  # a missing topic may have been made
        if self._follows and active is not None and (now != self._tried or again):
            self._choose(active.hash, active.seq, shadow.hash if shadow else "")
            self._tried = now
            self._say()
        elif due:
            self._say()

    def _choose(self, name: str, seq: int, candidate: str) -> None:
        bundle, self._refused = self._bundle(name)
        if bundle is None:
            self._log.error("rules refused", bundle=name, seq=seq, why=list(self._refused))
            return
        self._observer.following(seq)
        beside = self._candidate(candidate) if candidate and candidate != name else with_shadow_rules(bundle)
        self._selection = Selection(bundle, beside, seq)
        self._first.set()
        self._log.info("rules chosen", bundle=name, seq=seq, candidate=beside.hash if beside else "")

    def _bundle(self, name: str) -> tuple[Bundle | None, tuple[str, ...]]:
        checked = self._published.check(name)
        problems = errors(checked.problems)
        if checked.bundle is None or problems:
            first = problems[0]
            self._observer.refused(first.part, first.line)
            return None, tuple(map(str, problems[:_MAX_TOLD]))
        missing = missing_topics(self._settings, checked.bundle)
        if missing:
            self._observer.refused("topics", 1)
            return None, tuple(missing)
        return checked.bundle, ()

    def _candidate(self, name: str) -> Bundle | None:
        checked = self._published.check(name)
        if checked.bundle is None:
            self._log.warning(
                "candidate refused", bundle=name, why=[str(p) for p in errors(checked.problems)][:_MAX_TOLD]
            )
        return checked.bundle

    def _say(self, *, ended: bool = False) -> None:
        selection = self._selection
        beside = selection.candidate if selection is not None else None
        made = self._report(
            bundle=selection.active.hash if selection is not None else "",
            seq=selection.seq if selection is not None else 0,
            at=time.time_ns() // 1_000_000,
            candidate=beside.hash if beside is not None else "",
            refused=self._refused,
            ended=ended,
        )
        write(self._settings, [report_record(made)])
        self._reported_at = time.monotonic()


def reporter(worker: str, version: str, roles: str) -> Callable[..., WorkerReport]:
    """What reports say of a worker, bundle and times left open."""
    return partial(WorkerReport, worker=worker, version=version, roles=roles)
