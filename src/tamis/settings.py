"""Every setting of tamis as frozen types: name, unit, bounds, default and meaning stand here and nowhere else.

Rules: one group a struct; a name ends in its unit (``_s``, ``_ms``, ``_bytes``); defaults are those of one machine and
bind to loopback; a secret is a ``Secret`` and shows itself to nobody who does not call ``reveal``. Reading files and
the environment: ``settings_loader``. Rules, destinations and policy are not settings: they live in ``rules.folder``.
"""

import hmac
from typing import Annotated, Literal, NoReturn

import msgspec
from msgspec import Meta

from tamis.settings_audit import AuditSettings, SealerSettings
from tamis.settings_quarantine import QuarantineSettings
from tamis.settings_review import ReviewSettings

REDACTED = "[redacted]"

Count = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]
Port = Annotated[int, Meta(ge=0, le=65_535)]
Text = Annotated[str, Meta(min_length=1)]


class SetupError(Exception):
    """Something the operator has to fix: settings, keys, topics, files. The text is complete and free of secrets.

    Attributes:
        exit_code: what the process ends with: 2, wrong usage or configuration; starting again does not help.
    """

    exit_code = 2


class UnreachableError(SetupError):
    """The cluster does not answer (now): exit code 75, as in sysexits.h; starting again may help."""

    exit_code = 75


class Secret:
    """A text that no print, repr, format, pickle or JSON gives away."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, to be handed straight to what needs it."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other._text.encode())

    __hash__ = None  # type: ignore[assignment]  # a hash would tell two secrets apart

    def __repr__(self) -> str:
        return REDACTED if self._text else "(none)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere")


class KafkaSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach the cluster."""

    bootstrap: Annotated[Text, Meta(description="first brokers, `host:port,host:port`")] = "127.0.0.1:9092"
    security: Annotated[
        Literal["plaintext", "ssl", "sasl_ssl"], Meta(description="transport security towards the brokers")
    ] = "plaintext"
    sasl_mechanism: Annotated[
        Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"], Meta(description="used with `sasl_ssl`")
    ] = "SCRAM-SHA-512"
    username: Annotated[str, Meta(description="SASL user")] = ""
    password: Annotated[Secret, Meta(description="SASL password; better in a file or the environment")] = Secret("")
    password_file: Annotated[str, Meta(description="file that holds the SASL password and nothing else")] = ""
    ca_file: Annotated[str, Meta(description="PEM file of the authority of the brokers; empty: the system's")] = ""
    check_crcs: Annotated[
        bool, Meta(description="check the checksum of what is read; off only for the embedded broker")
    ] = True
    session_timeout_s: Annotated[Seconds, Meta(description="a worker silent for so long loses its partitions")] = 10.0
    heartbeat_s: Annotated[Seconds, Meta(description="group heartbeat interval")] = 3.0
    rebalance_timeout_s: Annotated[Seconds, Meta(description="how long a rebalance waits for a member")] = 30.0
    request_timeout_s: Annotated[Seconds, Meta(description="must exceed the rebalance timeout")] = 40.0
    transaction_timeout_s: Annotated[Seconds, Meta(description="longest batch plus a coordinator fail-over")] = 60.0


class TopicsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Names and shapes of the topics (`tamis topics plan`)."""

    prefix: Annotated[
        str, Meta(description="put before every topic name, e.g. `prod.`", pattern=r"^[A-Za-z0-9._-]{0,64}$")
    ] = ""
    raw_partitions: Annotated[
        int, Meta(description="partitions of `events.raw` and of all that follow its partition number", ge=1, le=10_000)
    ] = 8
    consent_raw_partitions: Annotated[int, Meta(description="partitions of `consent.raw`", ge=1, le=10_000)] = 4
    metrics_partitions: Annotated[int, Meta(description="partitions of `metrics.*`", ge=1, le=4)] = 2
    replication: Annotated[int, Meta(description="copies of each partition; 3 in production", ge=1, le=9)] = 1
    min_insync_replicas: Annotated[
        int, Meta(description="copies that must have a record before it counts as written", ge=1, le=9)
    ] = 1


class WorkerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The workers and their supervisor."""

    app_id: Annotated[
        str, Meta(description="start of group and transaction ids", pattern=r"^[A-Za-z0-9._-]{1,64}$")
    ] = "tamis"
    guarantee: Annotated[
        Literal["exactly_once", "at_least_once"], Meta(description="exactly once needs Kafka 4.0 or newer")
    ] = "exactly_once"
    time_source: Annotated[
        Literal["broker", "record"],
        Meta(description="`broker`: LogAppendTime; `record`: the producer's CreateTime, for replays and tests"),
    ] = "broker"
    max_batch_records: Annotated[
        int, Meta(description="records of one partition handled in one batch", ge=1, le=100_000)
    ] = 4_000
    empty_batch_interval_s: Annotated[
        Seconds, Meta(description="an idle partition's clock advances at least so often")
    ] = 5.0
    processes: Annotated[Count, Meta(description="workers `tamis run` starts; one a core")] = 1
    restart_first_s: Annotated[Seconds, Meta(description="wait before the first restart of a process; doubles")] = 0.5
    restart_max_s: Annotated[Seconds, Meta(description="longest wait before a restart")] = 30.0
    crash_limit: Annotated[Count, Meta(description="so many crashes of one process within the window end the run")] = 5
    crash_window_s: Annotated[Seconds, Meta(description="the window of `crash_limit`")] = 60.0
    drain_grace_s: Annotated[Seconds, Meta(description="from asking a process to end to killing it")] = 30.0


class ConsentSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The consent replica of this host."""

    max_age_s: Annotated[Seconds, Meta(description="intake waits when consent may be older than this")] = 60.0
    heartbeat_s: Annotated[Seconds, Meta(description="the fold agent shows itself in `consent.state` so often")] = 5.0
    source: Annotated[
        str,
        Meta(description="the only consent tool `consent.raw` carries, e.g. `onetrust`; empty: told from each record"),
    ] = ""
    mappings: Annotated[
        str, Meta(description="file of mappings for tools without a payload contract (`config/consent-mappings.yaml`)")
    ] = ""
    replica_path: Annotated[str, Meta(description="folder of the replica; empty: `<paths.state_dir>/replica`")] = ""
    replica_max_bytes: Annotated[int, Meta(description="most the replica may take on disk", ge=16 << 20)] = 16 << 30


class DedupeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Repeats of an event id on one partition of `events.raw`."""

    window_h: Annotated[
        int, Meta(description="how long an id is remembered, hours; 0: repeats are not looked for", ge=0, le=168)
    ] = 24
    max_partition_bytes: Annotated[
        int,
        Meta(
            description="most that one partition's ids may take on disk and in the page cache; beyond it the window "
            "gets shorter",
            ge=1 << 20,
        ),
    ] = 512 << 20
    path: Annotated[str, Meta(description="folder of the ids; empty: `<paths.state_dir>/sightings`")] = ""


class MetricsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Counting and anomaly detection."""

    watermark_interval_s: Annotated[Seconds, Meta(description="a source partition tells its time at most so often")] = (
        1.0
    )
    snapshot_interval_s: Annotated[Seconds, Meta(description="each detector's state is kept so often")] = 3_600.0
    public_min_subjects: Annotated[
        int, Meta(ge=2, le=100_000, description="fewest people that a record of `metrics.public` counts")
    ] = 10


class KeysSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the root key comes from."""

    provider: Annotated[
        Literal["file", "environment"], Meta(description="`file`, or `environment`: the variable TAMIS_KEYS")
    ] = "file"
    file: Annotated[str, Meta(description="key file, mode 0600; empty: `<paths.state_dir>/keys.json`")] = ""
    insecure_dev: Annotated[bool, Meta(description="accept placeholder keys; never in production")] = False


class RulesSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Rules, destinations and policy."""

    source: Annotated[
        Literal["folder", "topic"],
        Meta(description="`folder`: read once at the start; `topic`: follow the topic `rules` (`tamis rules publish`)"),
    ] = "folder"
    folder: Annotated[Text, Meta(description="the configuration folder; what `tamis rules publish` publishes")] = (
        "config/reference"
    )
    trusted_keys: Annotated[
        str,
        Meta(description="public keys whose bundles are used, separated by commas; empty: this installation's own"),
    ] = ""


class LimitsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a sender may send; beyond it the event goes to quarantine."""

    max_record_bytes: Annotated[int, Meta(description="largest record that is decoded", ge=1_024, le=16 << 20)] = (
        256 << 10
    )
    max_events_per_record: Annotated[int, Meta(description="most events in one record", ge=1, le=65_535)] = 500


class EnvelopesSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How producers' bodies are read."""

    vendor: Annotated[
        Literal[
            "detect", "amplitude", "cloudevents", "ga4", "jitsu", "matomo", "mixpanel", "mparticle", "posthog",
            "rudderstack", "segment", "snowplow",
        ],
        Meta(description="the only vendor in `events.raw`, or `detect`: told from each record"),
    ] = "detect"  # fmt: skip
    single_id: Annotated[
        Literal["nobody", "person", "device"],
        Meta(description="what an id is that nothing tells to be a person's or a device's; `nobody`: no subject"),
    ] = "nobody"


class TelemetrySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Prometheus endpoint and logs."""

    host: Annotated[Text, Meta(description="address the endpoint binds to")] = "127.0.0.1"
    port: Annotated[
        Port, Meta(description="0: off; under `tamis run` the replica gets this port, the workers the next ones")
    ] = 0
    max_label_values: Annotated[
        int,
        Meta(ge=1, le=10_000, description="most frequent producers and series shown one by one; the rest is `other`"),
    ] = 100
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Meta(description="least level shown")] = "info"
    log_format: Annotated[Literal["console", "json"], Meta(description="one line for people, or for programs")] = (
        "console"
    )


class PathsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Places on this host; relative paths start at the working directory."""

    state_dir: Annotated[Text, Meta(description="what this host may keep and rebuild")] = ".tamis"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings; a group is a TOML table."""

    kafka: KafkaSettings = KafkaSettings()
    topics: TopicsSettings = TopicsSettings()
    worker: WorkerSettings = WorkerSettings()
    consent: ConsentSettings = ConsentSettings()
    dedupe: DedupeSettings = DedupeSettings()
    audit: AuditSettings = AuditSettings()
    sealer: SealerSettings = SealerSettings()
    metrics: MetricsSettings = MetricsSettings()
    keys: KeysSettings = KeysSettings()
    rules: RulesSettings = RulesSettings()
    limits: LimitsSettings = LimitsSettings()
    quarantine: QuarantineSettings = QuarantineSettings()
    review: ReviewSettings = ReviewSettings()
    envelopes: EnvelopesSettings = EnvelopesSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    paths: PathsSettings = PathsSettings()

    def topic(self, name: str) -> str:
        """A topic's full name."""
        return self.topics.prefix + name

    def replica_path(self) -> str:
        """Folder of the consent replica."""
        return self.consent.replica_path or f"{self.paths.state_dir}/replica"

    def sightings_path(self) -> str:
        """Folder of the ids seen."""
        return self.dedupe.path or f"{self.paths.state_dir}/sightings"

    def sealer_path(self) -> str:
        """Folder of the sealer."""
        return self.sealer.path or f"{self.paths.state_dir}/sealer"

    def sealer_keys_path(self) -> str:
        """The sealing keys."""
        return self.sealer.key_file or f"{self.paths.state_dir}/sealer-keys.json"

    def keys_path(self) -> str:
        """The key file."""
        return self.keys.file or f"{self.paths.state_dir}/keys.json"
