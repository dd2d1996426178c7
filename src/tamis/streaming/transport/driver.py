"""The Faust transport `batchkafka://`: record batches for agents, at least once or exactly once.

Rules: the same agent code serves both guarantees. Producers are idempotent and wait for all in-sync replicas. Design,
figures and limits: docs/adr/0001-batch-transport-and-exactly-once.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from faust.sensors.base import Sensor
from faust.transport.drivers import aiokafka as driver

from tamis.streaming.transport.batch import Batch
from tamis.streaming.transport.clock import Clock, WallClock
from tamis.streaming.transport.compression import use_fast_lz4
from tamis.streaming.transport.consumer import Consumer
from tamis.streaming.transport.headers import keep_fetched_bytes
from tamis.streaming.transport.observer import NoObserver, TransportObserver

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

use_fast_lz4()
keep_fetched_bytes()


class Producer(driver.Producer):
    """The producer for everything outside transactions; idempotent, unlike stock."""

    def _settings_extra(self) -> Mapping[str, Any]:
        return {"acks": "all", "enable_idempotence": True}

    def transactional_settings(self) -> dict[str, Any]:
        """Keyword arguments of an AIOKafkaProducer, less its transactional id."""
        return {**self._settings_default(), **self._settings_auth(), **self._settings_extra()}

    def plain(self) -> Any:
        """The started aiokafka producer."""
        return self._ensure_producer()


class Transport(driver.Transport):
    """Settings and services of the streaming edge of one app.

    Attributes:
        exactly_once: outputs, changelog and offset in one transaction per batch.
        read_committed: inputs show committed records only, also at least once.
        max_batch_records: most records in a batch.
        linger_s: how long a partition waits after a small batch, in seconds.
        fetch_max_wait_ms: how long the broker waits for `fetch_min_bytes`, in ms.
        fetch_min_bytes: least bytes for the broker to answer a fetch at once.
        transaction_timeout_s: a dead worker's open transaction hides later records at most this long, in seconds.
        stuck_after_s: a batch not left, or records not fetched, for this many seconds end the worker.
        gates: each returns why gated topics must wait, or None.
        gate_reason: the reason found last, or None while open.
        clock: tells the time of topics.
        observer: is told what happens.
        on_fatal: called with the fault before the app crashes.
        fault: what the worker is dying of.
    """

    Consumer = Consumer
    Producer = Producer
    driver_version = f"batchkafka+{driver.Transport.driver_version}"

    exactly_once: bool = True
    read_committed: bool = True
    max_batch_records: int = 4_000
    linger_s: float = 0.1
    fetch_max_wait_ms: int = 100
    fetch_min_bytes: int = 65_536
    transaction_timeout_s: float = 60.0
    stuck_after_s: float = 300.0

    def __init__(self, url: Any, app: Any, loop: Any = None) -> None:
        super().__init__(url, app, loop)
        self.gates: list[Callable[[], str | None]] = []
        self.gate_reason: str | None = None
        self.clock: Clock = WallClock()
        self.observer: TransportObserver = NoObserver()
        self.on_fatal: Callable[[BaseException], None] | None = None
        self.fault: BaseException | None = None
        app.sensors.add(SkippedBatches())

    def gate_closed(self) -> str | None:
        """Ask the gates; the first reason wins."""
        self.gate_reason = next((reason for gate in self.gates if (reason := gate()) is not None), None)
        return self.gate_reason


class SkippedBatches(Sensor):
    """Notices an agent that went on to the next batch without entering the one it was given."""

    def on_stream_event_out(self, _tp: Any, _offset: int, _stream: Any, event: Any, _state: Any = None) -> None:
        """Called by Faust when an agent asks for the next event."""
        batch = event.value
        if isinstance(batch, Batch):
            batch.passed()
