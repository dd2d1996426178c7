"""The demo's main job: everything tamis does, in one process, on the embedded broker.

Rules: real parts only: the same apps, replica and detectors as in production, on real wire protocol; the demo adds a
producer, sinks and a view. Simulated time (``time_source = record``). At-least-once, because the embedded broker
forgets offsets that were committed in a transaction; with one process and no fault nothing repeats, and the audit log
proves it. It ends by itself, also on Ctrl-C, and verifies the audit log that was sealed.
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

from tamis.demo.generator import Traffic
from tamis.demo.ledger import DemoLedger, Summary
from tamis.demo.producer import DemoOptions, DemoProducer, Produced
from tamis.demo.sealing import DemoSealer
from tamis.demo.sinks import DiskSinks
from tamis.demo.traffic.plan import Plan, plan_for
from tamis.demo.warm import learned
from tamis.kafka.embedded import EmbeddedBroker
from tamis.kafka.follower import KafkaStateSource
from tamis.kafka.loading import Loader, Outgoing
from tamis.keys.file import create_key_file
from tamis.records.topics import CATALOGUE, Topic
from tamis.services.replica import Replica, open_replica
from tamis.services.sealed_check import verify_sealed
from tamis.services.sealer_config import LOGS
from tamis.settings import (
    ConsentSettings,
    PathsSettings,
    Settings,
    SetupError,
    TopicsSettings,
    WorkerSettings,
)
from tamis.settings_audit import SealerSettings
from tamis.stores.consent_view import LmdbConsentView
from tamis.streaming.parts import Parts, load_parts
from tamis.streaming.release_role import release_app
from tamis.streaming.roles import anomaly_app, consent_app, crm_topics, intake_app, metrics_app
from tamis.streaming.run import serve_apps

OUTPUTS = frozenset({Topic.EVENTS_CLEAN, Topic.EVENTS_QUARANTINE, Topic.METRICS_WINDOWS, Topic.ALERTS, *LOGS})
MOST_CONSENT_AGE_S = 900.0  # simulated seconds; one of them lasts milliseconds
PLANNED_MORE = 1.06  # a plan is met within a few percent; the producer stops at the exact number
AUDIT_FOLDER, VKEY_FILE = "audit", "audit.vkey"
_END_S = 60.0


class DemoWatcher(Protocol):
    """Shows the run."""

    def prepare(self, text: str) -> None:
        """What is being set up."""

    def begin(self, plan: Plan, folder: Path) -> None:
        """Everything is ready, traffic begins."""

    def tick(self, produced: Produced, ledger: DemoLedger, gate: str | None) -> None:
        """A few times a second."""


class Demo:
    """One run.

    Args:
        options: see ``DemoOptions``.
        watcher: shows it.
    """

    def __init__(self, options: DemoOptions, watcher: DemoWatcher) -> None:
        self.options = options
        self.plan = plan_for(round(options.events * PLANNED_MORE), fault=options.fault, seed=options.seed)
        self.ledger = DemoLedger()
        self._watcher = watcher
        self._stop = asyncio.Event()
        self._produced = Produced()

    async def run(self) -> Summary:
        """Runs to the end, or until Ctrl-C, and gives the summary.

        Raises:
            SetupError: the folder is in use, or an app had a fault.
        """
        folder = self.options.folder
        if folder.exists() and any(folder.iterdir()):
            raise SetupError(f"{folder} is not empty; choose another folder with --out")
        folder.mkdir(parents=True, exist_ok=True)
        with EmbeddedBroker(rebalance_delay_ms=200) as broker, self._signals():
            settings = _settings(broker, folder)
            create_key_file(Path(settings.keys_path()), now_ms=self.plan.start_ms)
            parts = load_parts(settings)
            topics = _topics(parts)
            for name, count in topics.items():
                broker.create_topic(name, count)
            outputs = {name: count for name, count in topics.items() if name in OUTPUTS or name.startswith("crm.")}
            sinks = DiskSinks(settings, outputs, folder, self.ledger.seen)
            sealer = DemoSealer(settings, folder / VKEY_FILE, parts.bundle.source)
            sinks.start()
            sealer.start()
            try:
                self._watcher.prepare("the detectors learn the past three days of the same traffic")
                await self._warm(settings)
                self._watcher.prepare("workers start and join their groups")
                seconds = await self._with_replica(parts)
                await self._until(lambda: self.ledger.leaves >= self.ledger.decided_events, 10.0)
            finally:
                await asyncio.to_thread(sealer.stop)
                await asyncio.to_thread(sinks.stop)
        return self.ledger.summary(self._produced.events, seconds, verify_sealed(sealer.folder, sealer.keys))

    async def _with_replica(self, parts: Parts) -> float:
        settings = parts.settings
        source = KafkaStateSource(settings.kafka, settings.topic(Topic.CONSENT_STATE))
        replica = await open_replica(source, Path(settings.replica_path()))
        stop = asyncio.Event()
        following = asyncio.create_task(replica.follow(stop))
        try:
            return await self._with_apps(parts, replica)
        finally:
            stop.set()
            await following
            await replica.close()

    async def _with_apps(self, parts: Parts, replica: Replica) -> float:
        view = LmdbConsentView(Path(parts.settings.replica_path()), writer=replica.writer)
        apps = [consent_app(parts), intake_app(parts, view, self.ledger), release_app(parts, view, self.ledger)]
        apps += [metrics_app(parts), anomaly_app(parts)]
        ready, stop = asyncio.Event(), asyncio.Event()
        serving = asyncio.create_task(serve_apps(apps, stop, ready=ready.set, exit_hard=False))
        try:
            await self._first(ready.wait(), serving)
            return await self._traffic(parts.settings, lambda: apps[1].transport.gate_reason, serving)
        finally:
            stop.set()
            await serving

    async def _traffic(self, settings: Settings, gate: Callable[[], str | None], serving: Any) -> float:
        producer = DemoProducer(settings, self.options, self.plan, self._produced, self._waiting)
        records = Traffic(self.plan).records()
        first = await producer.past(records)
        self._watcher.begin(self.plan, self.options.folder)
        watching = asyncio.create_task(self._watch(gate))
        began = time.monotonic()
        try:
            await self._first(producer.run(first, records), serving)
            await self._until(lambda: self._waiting() <= 0 or serving.done(), _END_S)
            return time.monotonic() - began
        finally:
            watching.cancel()
            self._watcher.tick(self._produced, self.ledger, gate())

    async def _warm(self, settings: Settings) -> None:
        """Puts detectors that know the past days into ``metrics.state``, where a new owner finds them."""
        snapshots = await asyncio.to_thread(learned, self.plan)
        with Loader(settings.kafka, linger_ms=1) as loader:
            for series, value in snapshots.items():
                loader.put(settings.topic(Topic.METRICS_STATE), Outgoing(0, series.encode(), value))

    def _waiting(self) -> int:
        return self._produced.events - self.ledger.decided_events

    async def _first(self, work: Awaitable[Any], serving: Any) -> None:
        """Waits for ``work``, Ctrl-C or the end of the apps, which is a fault here."""
        task, stopped = asyncio.ensure_future(work), asyncio.ensure_future(self._stop.wait())
        done, _ = await asyncio.wait({task, stopped, serving}, return_when=asyncio.FIRST_COMPLETED)
        for other in {task, stopped} - done:
            other.cancel()
        if serving in done:
            raise SetupError("the demo's worker ended with a fault; its log is above")
        if task in done:
            task.result()

    async def _until(self, condition: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not condition() and time.monotonic() < deadline:  # noqa: ASYNC110 - counts
            await asyncio.sleep(0.05)

    async def _watch(self, gate: Callable[[], str | None]) -> None:
        while True:
            self._watcher.tick(self._produced, self.ledger, gate())
            await asyncio.sleep(0.25)

    def _signals(self) -> contextlib.AbstractContextManager[None]:
        loop = asyncio.get_running_loop()

        @contextlib.contextmanager
        def handled() -> Iterator[None]:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, self._stop.set)
            try:
                yield
            finally:
                for number in (signal.SIGINT, signal.SIGTERM):
                    loop.remove_signal_handler(number)

        return handled()


def _settings(broker: EmbeddedBroker, folder: Path) -> Settings:
    return Settings(
        kafka=broker.kafka_settings(),
        topics=TopicsSettings(raw_partitions=4, consent_raw_partitions=2, metrics_partitions=1),
        worker=WorkerSettings(
            app_id="demo", guarantee="at_least_once", time_source="record", empty_batch_interval_s=0.2
        ),
        consent=ConsentSettings(max_age_s=MOST_CONSENT_AGE_S, heartbeat_s=0.2),
        sealer=SealerSettings(path=str(folder / AUDIT_FOLDER)),
        paths=PathsSettings(state_dir=str(folder / "state")),
    )


def _topics(parts: Parts) -> dict[str, int]:
    counts = parts.settings.topics
    by_group = {"raw": counts.raw_partitions, "metrics": counts.metrics_partitions, "one": 1}
    return {
        spec.name: by_group.get(spec.partitions, counts.consent_raw_partitions)
        for spec in (*CATALOGUE, *crm_topics(parts.bundle))
    }
