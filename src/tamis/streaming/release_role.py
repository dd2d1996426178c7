"""The release role: ``events.held`` and ``events.held.last`` to everything that may leave after all.

Rules: gated like intake; the waiting times are those of the bundle in use, so a new one holds for what waits already.
"""

from collections.abc import Callable
from typing import Any

from tamis.domain.bundle import Bundle, Hold
from tamis.domain.selection import Selection
from tamis.envelopes.decoder import Decoder
from tamis.intake import Intake
from tamis.records.topics import Topic
from tamis.settings import Settings
from tamis.streaming.agents.release import ReleaseConfig, ReleaseObserver, ReleaseRunner, register_release
from tamis.streaming.parts import Parts, keyring, nobody_told
from tamis.streaming.roles import FreshConsent, audit_logs, role_app
from tamis.streaming.switch import Switch
from tamis.streaming.transport.topic import batch_topic


def release_app(parts: Parts, consent: FreshConsent, observer: ReleaseObserver) -> Any:
    """The Faust app of the role."""
    settings, app = parts.settings, role_app(parts, "release")

    def make(selection: Selection, _before: Intake | None) -> Intake:
        bundle = selection.active
        return Intake(bundle, keyring(parts, bundle), consent, Decoder(parts.keys.derive("event-id")))

    switch = Switch(parts.selection(), make, nobody_told, parts.ring)

    def core() -> Intake:
        switch.newer()
        return switch.made

    def gate() -> str | None:
        return consent.gate(parts.now(), settings.consent.max_age_s)

    app.transport.gates.append(gate)
    config = _config(parts, gate, core)
    held, last = (_waiting(app, settings, topic, switch) for topic in (Topic.EVENTS_HELD, Topic.EVENTS_HELD_LAST))
    runners = (
        ReleaseRunner(Topic.EVENTS_HELD, config, audit_logs(parts, Topic.AUDIT_HELD), observer),
        ReleaseRunner(Topic.EVENTS_HELD_LAST, config, audit_logs(parts, Topic.AUDIT_HELD_LAST), observer),
    )
    register_release(app, held, last, runners)
    return app


def _config(parts: Parts, gate: Callable[[], str | None], core: Callable[[], Intake]) -> ReleaseConfig:
    settings = parts.settings
    return ReleaseConfig(
        topic=settings.topic,
        partitions=settings.topics.raw_partitions,
        metrics_partitions=settings.topics.metrics_partitions,
        watermark_ms=round(settings.metrics.watermark_interval_s * 1000),
        record_time=parts.record_clock is not None,
        gate=gate,
        now=parts.now,
        core=core,
    )


def _waiting(app: Any, settings: Settings, topic: Topic, switch: Switch[Intake]) -> Any:
    """The batch topic of held events, handed out when they are due."""
    return batch_topic(
        app,
        settings.topic(topic),
        empty_every_s=settings.worker.empty_batch_interval_s,
        delay_from=lambda: _delay_ms(switch.made.bundle, topic),
        gated=True,
        clock_topic=settings.topic(Topic.EVENTS_RAW),
    )


def _delay_ms(bundle: Bundle, topic: Topic) -> int:
    hold = bundle.policy.hold or Hold()
    return hold.first_ms if topic is Topic.EVENTS_HELD else hold.last_ms
