"""Makes Faust apps on the batch transport.

Rules: one app (and consumer group) per role; the settings are those found sound under fault injection (see
docs/adr/0001-batch-transport-and-exactly-once.md). No web server, no leader topic, and no topic is created from here.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import faust

from tamis.streaming.transport.clock import RecordClock, TimeSource
from tamis.streaming.transport.table import BatchTable

if TYPE_CHECKING:
    from pathlib import Path

Guarantee = Literal["exactly_once", "at_least_once"]


@dataclass(frozen=True, slots=True)
class BrokerSecurity:
    """How to reach a secured broker: TLS, and SASL on top when a user name is given.

    Attributes:
        ca_file: PEM file with the authorities to trust; None means the system's.
        certificate: PEM files of a client certificate and its key.
        username: SASL user.
        password: SASL password.
        mechanism: SASL mechanism.
    """

    ca_file: Path | None = None
    certificate: tuple[Path, Path] | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    mechanism: str = "SCRAM-SHA-512"

    def credentials(self) -> Any:
        """The faust credentials object."""
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.certificate is not None:
            context.load_cert_chain(*self.certificate)
        if self.username is None:
            return faust.SSLCredentials(context=context)
        return faust.SASLCredentials(
            username=self.username, password=self.password, mechanism=self.mechanism, ssl_context=context
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeTuning:
    """Numbers of the streaming edge; the defaults are sound under fault injection.

    Attributes:
        max_batch_records: most records in a batch.
        linger_s: pause of a partition after a small batch, in seconds.
        fetch_bytes: most bytes (as stored) fetched per partition at once.
        fetch_max_wait_ms: how long the broker waits for `fetch_min_bytes`, in ms.
        fetch_min_bytes: least bytes for the broker to answer at once.
        transaction_timeout_s: bound on a dead worker's open transaction, in seconds.
        session_timeout_s: a silent worker loses its partitions after this, in seconds.
        heartbeat_s: interval of group heartbeats, in seconds.
        rebalance_timeout_s: how long the group waits for its members, in seconds; less than `request_timeout_s`.
        request_timeout_s: bound on a request to the broker, in seconds.
        stuck_after_s: no progress for this long ends the worker, in seconds.
        standby_replicas: other workers that keep a copy of each table partition.
    """

    max_batch_records: int = 4_000
    linger_s: float = 0.1
    fetch_bytes: int = 512 * 1024
    fetch_max_wait_ms: int = 100
    fetch_min_bytes: int = 64 * 1024
    transaction_timeout_s: float = 60.0
    session_timeout_s: float = 10.0
    heartbeat_s: float = 3.0
    rebalance_timeout_s: float = 30.0
    request_timeout_s: float = 40.0
    stuck_after_s: float = 300.0
    standby_replicas: int = 1

    def __post_init__(self) -> None:
        if self.rebalance_timeout_s >= self.request_timeout_s:
            raise ValueError("rebalance_timeout_s must be less than request_timeout_s, or joining never ends")

    def faust_settings(self) -> dict[str, Any]:
        """These numbers as settings of a faust App."""
        return {
            "table_standby_replicas": self.standby_replicas,
            "consumer_max_fetch_size": self.fetch_bytes,
            "broker_session_timeout": self.session_timeout_s,
            "broker_heartbeat_interval": self.heartbeat_s,
            "broker_rebalance_timeout": self.rebalance_timeout_s,
            "broker_request_timeout": self.request_timeout_s,
            "producer_request_timeout": self.request_timeout_s,  # Faust's default of 20 minutes hides a missing topic
        }

    def apply(self, transport: Any) -> None:
        """Set what the batch transport needs of these numbers."""
        transport.max_batch_records = self.max_batch_records
        transport.linger_s = self.linger_s
        transport.fetch_max_wait_ms = self.fetch_max_wait_ms
        transport.fetch_min_bytes = self.fetch_min_bytes
        transport.transaction_timeout_s = self.transaction_timeout_s
        transport.stuck_after_s = self.stuck_after_s


FIXED_SETTINGS: dict[str, Any] = {
    "Table": BatchTable,
    "key_serializer": "raw",
    "value_serializer": "raw",
    "autodiscover": False,
    "web_enabled": False,
    "topic_disable_leader": True,
    "topic_allow_declare": False,
    "producer_acks": -1,
    "producer_compression_type": "lz4",
    "producer_linger": 0.0,
    "producer_max_batch_size": 1_000_000,  # before compression; below the brokers' default limit of 1 MiB
    "broker_commit_interval": 1.0,
}


def make_app(
    app_id: str,
    *,
    bootstrap: str,
    datadir: Path,
    worker: str = "0",
    guarantee: Guarantee = "exactly_once",
    time_source: TimeSource = "broker",
    record_clock: RecordClock | None = None,
    security: BrokerSecurity | None = None,
    partitions: int = 8,
    store: str = "memory://",
    start_at: Literal["earliest", "latest"] = "earliest",
    check_crcs: bool = True,
    tuning: EdgeTuning | None = None,
) -> Any:
    """A configured faust App; declare its topics with `batch_topic`, its agents with `@app.agent`.

    Args:
        app_id: consumer group and transactional id prefix; one per role.
        bootstrap: `host:port,host:port`.
        datadir: folder under which the app keeps its own, per app id and worker; made if it is missing.
        worker: distinguishes workers that share `datadir`.
        guarantee: exactly_once or at_least_once.
        time_source: where `Batch.clock` comes from.
        record_clock: under `time_source = record`, a clock shared with other apps of the process.
        security: TLS and SASL; None means plain text.
        partitions: default partition count of tables.
        store: where tables live.
        start_at: where a group without commits begins.
        check_crcs: check the checksum of what is read; the embedded broker's transaction markers have none.
        tuning: numbers; None means the defaults.
    """
    tuning = tuning or EdgeTuning()
    folder = datadir / f"{app_id}-{worker}"
    folder.mkdir(parents=True, exist_ok=True)
    app = faust.App(
        app_id,
        broker=";".join(f"batchkafka://{address.strip()}" for address in bootstrap.split(",")),
        broker_credentials=None if security is None else security.credentials(),
        datadir=str(folder),
        store=store,
        topic_partitions=partitions,
        consumer_auto_offset_reset=start_at,
        broker_check_crcs=check_crcs,
        **FIXED_SETTINGS,
        **tuning.faust_settings(),
    )
    app.transport.exactly_once = guarantee == "exactly_once"
    if time_source == "record":
        app.transport.clock = record_clock or RecordClock()
    tuning.apply(app.transport)
    return app
