"""The Faust app of each role, made from settings: topics, runners and gates put together.

Rules: one app (and consumer group) per role; everything an app needs comes from ``Parts``, loaded once a process, so
all problems of configuration and keys show before anything starts. Intake waits, by a gate, while consent may be stale.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

from tamis.anomaly.board import BoardPolicy, FactsOf
from tamis.anomaly.incidents import RuleFacts
from tamis.domain.audit.requests import ENROLMENT_LABEL, enrolment_key
from tamis.domain.bundle import Bundle
from tamis.domain.selection import Selection
from tamis.envelopes.decoder import Decoder
from tamis.intake import Intake
from tamis.kafka.clients import aiokafka_consumer_options, password
from tamis.ports import ConsentView
from tamis.records.metrics import Closing
from tamis.records.topics import Topic, TopicSpec, crm_topic
from tamis.stores.audit_memory import AuditMemory
from tamis.stores.sightings.partition import SightingsPolicy
from tamis.streaming.agents.anomaly import AnomalyConfig, AnomalyObserver, facts_of, register_anomaly
from tamis.streaming.agents.audit_key import WorkerSigner
from tamis.streaming.agents.audit_logs import AuditConfig, AuditLogs
from tamis.streaming.agents.consent import ConsentObserver
from tamis.streaming.agents.intake import IntakeConfig, IntakeObserver, IntakeRunner, register_intake
from tamis.streaming.agents.privacy import PrivacyObserver
from tamis.streaming.agents.sightings import SightingsKeeper, SightingsObserver
from tamis.streaming.agents.windows import SilentWindows, WindowsObserver, register_windows
from tamis.streaming.app import BrokerSecurity, EdgeTuning, make_app
from tamis.streaming.consent_role import fill_consent_app
from tamis.streaming.parts import Parts, event_decoder, keyring, nobody_told
from tamis.streaming.reader import KafkaTopicReader
from tamis.streaming.sampling import sampled
from tamis.streaming.switch import Switch
from tamis.streaming.transport.topic import batch_topic


class FreshConsent(ConsentView, Protocol):
    """A consent view that also knows how fresh it is."""

    def gate(self, now_ms: int, max_age_s: float) -> str | None:
        """Why intake must wait, None when it may go on."""


def role_app(parts: Parts, role: str) -> Any:
    """An empty Faust app for a role."""
    settings = parts.settings
    kafka, worker = settings.kafka, settings.worker
    security = None
    if kafka.security != "plaintext":
        sasl = kafka.security == "sasl_ssl"
        security = BrokerSecurity(
            ca_file=Path(kafka.ca_file) if kafka.ca_file else None,
            username=kafka.username if sasl else None,
            password=password(kafka) if sasl else None,
            mechanism=kafka.sasl_mechanism,
        )
    datadir = Path(settings.paths.state_dir) / "faust"
    datadir.mkdir(parents=True, exist_ok=True)
    return make_app(
        f"{settings.topics.prefix}{worker.app_id}-{role}",
        bootstrap=kafka.bootstrap,
        datadir=datadir,
        worker=parts.worker,
        guarantee=worker.guarantee,
        time_source=worker.time_source,
        record_clock=parts.record_clock,
        security=security,
        check_crcs=kafka.check_crcs,
        partitions=settings.topics.raw_partitions,
        tuning=EdgeTuning(
            max_batch_records=worker.max_batch_records,
            transaction_timeout_s=kafka.transaction_timeout_s,
            session_timeout_s=kafka.session_timeout_s,
            heartbeat_s=kafka.heartbeat_s,
            rebalance_timeout_s=kafka.rebalance_timeout_s,
            request_timeout_s=kafka.request_timeout_s,
        ),
    )


def topic_reader(parts: Parts) -> KafkaTopicReader:
    """Reads other topics at take-over."""
    return KafkaTopicReader(aiokafka_consumer_options(parts.settings.kafka))


def audit_logs(parts: Parts, log: str) -> AuditLogs:
    """The audit logs that a role of this process writes, kept in the topic ``log`` (without prefix)."""
    settings = parts.settings
    config = AuditConfig(
        base=settings.audit.origin,
        topic=settings.topic,
        log=log,
        idle_head_ms=round(settings.audit.idle_head_interval_s * 1000),
        at_least_once=settings.worker.guarantee == "at_least_once",
    )
    signer = WorkerSigner(enrolment_key(parts.keys.derive(ENROLMENT_LABEL)).sign, settings.audit.worker_key_s)
    memory = AuditMemory(Path(settings.paths.state_dir) / "audit" / (settings.topics.prefix or "-"))
    return AuditLogs(config, topic_reader(parts), signer, memory)


def intake_app(
    parts: Parts, consent: FreshConsent, observer: IntakeObserver, runner: type[IntakeRunner] = IntakeRunner
) -> Any:
    """The intake role: ``events.raw`` to everything that leaves; ``runner`` is another one in benchmarks."""
    settings = parts.settings
    app = role_app(parts, "intake")
    decoder = event_decoder(settings, parts.keys)

    def gate() -> str | None:
        return consent.gate(parts.now(), settings.consent.max_age_s) or parts.paused()

    switch = intake_switch(parts, consent, decoder)
    config = IntakeConfig(
        topic=settings.topic,
        raw_partitions=settings.topics.raw_partitions,
        metrics_partitions=settings.topics.metrics_partitions,
        watermark_ms=round(settings.metrics.watermark_interval_s * 1000),
        record_time=parts.record_clock is not None,
        gate=gate,
        successor=switch.newer,
    )
    app.transport.gates.append(gate)
    raw = batch_topic(
        app, settings.topic(Topic.EVENTS_RAW), gated=True, empty_every_s=settings.worker.empty_batch_interval_s
    )
    keeper, logs = sightings_keeper(parts, observer), audit_logs(parts, Topic.AUDIT_LOG)
    register_intake(app, raw, runner(switch.made, config, logs, observer, keeper))
    return app


def intake_switch(parts: Parts, consent: ConsentView, decoder: Decoder) -> Switch[Intake]:
    """The core for the newest selection, a candidate's beside it; what is known of sessions goes on."""

    def core(bundle: Bundle, shadow: Intake | None = None, before: Intake | None = None) -> Intake:
        sessions = None if before is None else before.sessions
        made = Intake(bundle, keyring(parts, bundle), consent, decoder, shadow, sessions)
        return sampled(made, parts.settings, parts.keys)

    def make(selection: Selection, before: Intake | None) -> Intake:
        shadow = None if selection.candidate is None else core(selection.candidate)
        return core(selection.active, shadow, before)

    return Switch(parts.selection(), make, parts.told, parts.ring)


def sightings_keeper(parts: Parts, observer: SightingsObserver) -> SightingsKeeper | None:
    """What finds repeats on the owned partitions of ``events.raw``; None when they are not looked for."""
    settings = parts.settings
    if not settings.dedupe.window_h:
        return None
    topic = settings.topic(Topic.DEDUPE_LOG)
    policy = SightingsPolicy(
        window_minutes=60 * settings.dedupe.window_h, max_bytes=settings.dedupe.max_partition_bytes
    )
    return SightingsKeeper(
        Path(settings.sightings_path()) / topic,
        topic,
        topic_reader(parts),
        policy,
        observer,
        at_least_once=settings.worker.guarantee == "at_least_once",
    )


def consent_app(parts: Parts, observer: ConsentObserver | None = None, requests: PrivacyObserver | None = None) -> Any:
    """The consent role: ``consent.raw`` and ``privacy.requests`` to ``consent.state``."""
    return fill_consent_app(parts, role_app(parts, "consent"), observer, requests)


def metrics_app(parts: Parts, observer: WindowsObserver | None = None) -> Any:
    """The metrics role: ``metrics.partials`` to ``metrics.windows`` and what is made of them."""
    settings, app = parts.settings, role_app(parts, "metrics")
    record_time = parts.record_clock is not None
    told = observer or SilentWindows()
    register_windows(
        app, settings.topic, settings.topics.metrics_partitions, told, record_time=record_time,
        k=settings.metrics.public_min_subjects,
    )  # fmt: skip
    return app


def anomaly_app(
    parts: Parts,
    observer: AnomalyObserver | None = None,
    history: Callable[[int], Iterable[Closing]] | None = None,
) -> Any:
    """The anomaly role: ``metrics.windows`` to ``alerts``; ``history`` warms a partition that has none."""
    settings, app, feed = parts.settings, role_app(parts, "anomaly"), parts.selection()
    config = AnomalyConfig(
        topic=settings.topic,
        partitions=settings.topics.metrics_partitions,
        policy=BoardPolicy(snapshot_minutes=max(1, round(settings.metrics.snapshot_interval_s / 60))),
        history=history,
        bundle=lambda: feed().active.hash,
    )

    def make(selection: Selection, _before: FactsOf | None) -> FactsOf:
        bundle = selection.active
        return facts_of((compiled.rule for compiled in bundle.rules.rules), bundle.policy.time_zone)

    switch = Switch(feed, make, nobody_told)

    def facts(rule: str) -> RuleFacts:
        return (switch.newer() or switch.made)(rule)

    register_anomaly(app, config, facts, topic_reader(parts), observer)
    return app


def crm_topics(bundle: Bundle) -> tuple[TopicSpec, ...]:
    """The topics of the bundle's CRM destinations."""
    return tuple(crm_topic(each.id) for each in bundle.destinations if each.topic.startswith("crm."))
