"""Feeds the generated traffic into the embedded broker: in order of time, no faster than it is worked off.

Rules: simulated time passes at an even pace over the wanted seconds; never more than ``MOST_AHEAD`` events are waiting,
because the embedded broker forgets what exceeds its memory; statements of the past go first. A record goes to the
partition of its key, as producers do.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from zlib import crc32

import msgspec

from tamis.demo.generator import CONSENT, EVENTS, TimedRecord
from tamis.demo.traffic.plan import Plan
from tamis.kafka.loading import Loader, Outgoing
from tamis.settings import Settings

MOST_AHEAD = 4_000
_SLICE = 200


class DemoOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line chose.

    Attributes:
        events: how many.
        seconds: wall time of the traffic, at least.
        fault: break one rule's tagging midway.
        seed: of the generator.
        folder: outputs; must not exist or be empty.
    """

    events: int
    seconds: float
    fault: bool
    seed: int
    folder: Path


class Produced:
    """How far the producer is; read by the view and the end condition.

    Attributes:
        records: written to ``events.raw``.
        events: events in them.
        statements: written to ``consent.raw``.
        at_ms: simulated time reached.
        done: nothing more comes.
    """

    def __init__(self) -> None:
        self.records = self.events = self.statements = self.at_ms = 0
        self.done = False


class DemoProducer:
    """Writes one plan's records.

    Args:
        settings: where to.
        options: how many events, in how many seconds of wall time.
        plan: what is produced.
        produced: counts, written to.
        waiting: events that are written but not worked off.
    """

    def __init__(
        self, settings: Settings, options: DemoOptions, plan: Plan, produced: Produced, waiting: Callable[[], int]
    ) -> None:
        self._settings = settings
        self._most = options.events
        self._pace = options.seconds / max(1, plan.end_ms - plan.start_ms)
        self._start_ms = plan.start_ms
        self._waiting = waiting
        self.produced = produced

    async def past(self, records: Iterator[TimedRecord]) -> TimedRecord | None:
        """Writes the statements before the start; gives the first record after it."""
        with Loader(self._settings.kafka, linger_ms=1) as loader:
            for record in records:
                if record.at_ms >= self._start_ms:
                    return record
                self._put(loader, record)
                if self.produced.statements % _SLICE == 0:
                    await asyncio.sleep(0)
        return None

    async def run(self, first: TimedRecord | None, records: Iterator[TimedRecord]) -> None:
        """Writes everything else at the wanted pace."""
        began, written = time.monotonic(), 0
        with Loader(self._settings.kafka, linger_ms=1) as loader:
            if first is not None:
                self._put(loader, first)
            for record in records:
                if self.produced.events >= self._most:
                    break
                self._put(loader, record)
                written += 1
                if written % _SLICE == 0:
                    loader.poll()
                    await self._wait(began, record.at_ms)
        self.produced.done = True

    async def _wait(self, began: float, at_ms: int) -> None:
        due = began + (at_ms - self._start_ms) * self._pace
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        while self._waiting() > MOST_AHEAD:  # noqa: ASYNC110 - counts change without an event, polling is cheap
            await asyncio.sleep(0.02)

    def _put(self, loader: Loader, record: TimedRecord) -> None:
        if self.produced.events + record.events > self._most:
            return  # a body with several events that would exceed the number asked for
        topics, produced = self._settings.topics, self.produced
        count = topics.raw_partitions if record.topic == EVENTS else topics.consent_raw_partitions
        loader.put(
            self._settings.topic(record.topic),
            Outgoing(crc32(record.key) % count, record.key, record.value, record.at_ms),
        )
        produced.at_ms = max(produced.at_ms, record.at_ms)
        produced.events += record.events
        produced.records += record.topic == EVENTS
        produced.statements += record.topic == CONSENT
