"""The composition root: settings to running Faust apps, one app (and consumer group) per role.

Rules: everything is loaded and checked before anything starts: rules, keys, topics; all problems are one
``SetupError``. Under ``rules.source = topic`` it waits for the first usable bundle. Intake waits, by a gate of the
transport, while consent is not known to be fresh. A worker is crash-only: a fault ends it with exit code 70 and the
supervisor starts it again.
"""

import os
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from importlib.metadata import version
from math import inf
from pathlib import Path
from typing import Any

import structlog
from msgspec.structs import replace

from tamis.domain.bundle import Bundle
from tamis.domain.selection import Selection
from tamis.kafka.admin import check_topics
from tamis.keys.provider import open_keys, watch_keys
from tamis.ports import KeyProvider
from tamis.services.pause_watch import PauseWatch
from tamis.services.review_watch import ReviewWatch
from tamis.services.rules_start import start_rules, wait_for_rules, worker_name
from tamis.services.rules_watch import RulesWatch, reporter
from tamis.settings import Settings, SetupError
from tamis.stores.consent_view import LmdbConsentView
from tamis.streaming.parts import Parts, event_clock, folder_bundle, record_clock
from tamis.streaming.release_role import release_app
from tamis.streaming.roles import FreshConsent, anomaly_app, consent_app, crm_topics, intake_app, metrics_app
from tamis.streaming.run import run_apps
from tamis.streaming.transport.clock import RecordClock
from tamis.telemetry.metrics import Telemetry, vocabulary
from tamis.telemetry.sampling import Sampler

MOST_AHEAD_S = 300.0  # a consent clock further ahead of this host is not believed


def refuse_wrong_topics(settings: Settings, bundle: Bundle | None) -> None:
    """Refuses to go on when topics are missing or wrong.

    Args:
        settings: of this process.
        bundle: whose destinations are looked at too, None while it is not known.

    Raises:
        SetupError: they are; the text lists all of them and the command that helps.
    """
    wrong = check_topics(settings, crm_topics(bundle) if bundle is not None else ())
    if wrong:
        raise SetupError(
            "\n".join(["topics are not as they must be (tamis topics apply):", *map("  {}".format, wrong)])
        )


def role_apps(parts: Parts, roles: AbstractSet[str], consent: FreshConsent, telemetry: Telemetry) -> list[Any]:
    """The apps of the given roles, consent first, each with its observers."""
    makers: dict[str, Callable[[], Any]] = {
        "consent": lambda: consent_app(parts, telemetry.consent, telemetry.consent),
        "intake": lambda: intake_app(parts, consent, telemetry.intake),
        "release": lambda: release_app(parts, consent, telemetry.release),
        "metrics": lambda: metrics_app(parts, telemetry.windows),
        "anomaly": lambda: anomaly_app(parts, telemetry.incidents),
    }
    apps = []
    for role, make in makers.items():
        if role in roles:
            apps.append(make())
            apps[-1].transport.observer = telemetry.edge(role)
    return apps


def run_worker(settings: Settings, roles: AbstractSet[str]) -> int:
    """Runs one worker process until a signal or a fault.

    Args:
        settings: all settings.
        roles: some of "consent", "intake", "release", "metrics", "anomaly".

    Returns:
        The exit code: 0 after a signal, 70 after a fault.

    Raises:
        SetupError: configuration, keys or topics cannot be used, or the metrics port is taken.
    """
    keys: KeyProvider = watch_keys(settings) or open_keys(settings)
    clock, names = record_clock(settings), "+".join(sorted(roles))
    given = folder_bundle(settings) if settings.rules.source == "folder" else None
    refuse_wrong_topics(settings, given)
    now = event_clock(settings, clock)
    words, most = vocabulary(version("tamis"), names), settings.telemetry.max_label_values
    telemetry = Telemetry(words, settings.topics.prefix, now, most)
    port = telemetry.serve(settings.telemetry)
    try:
        watch = start_rules(settings, keys, reporter(worker_name(), version("tamis"), names), telemetry.rules, given)
        if not wait_for_rules(watch, telemetry.rules):
            watch.close()
            return 0
        pause, review = PauseWatch(settings), ReviewWatch(settings, telemetry.review.reported)
        for role, follower in (("intake", pause), ("anomaly", review)):
            if role in roles:
                follower.start()
        parts = replace(_parts(settings, keys, clock, watch, telemetry), paused=pause.gate)
        return _run(parts, roles, telemetry, port, (watch, pause, review))
    finally:
        telemetry.stop()


def _parts(
    settings: Settings, keys: KeyProvider, clock: RecordClock | None, watch: RulesWatch, telemetry: Telemetry
) -> Parts:
    def told(newer: Selection) -> None:
        telemetry.selected(newer)
        telemetry.rules.switched()

    selection = watch.selection()
    telemetry.selected(selection)
    return Parts(
        settings=settings, bundle=selection.active, keys=keys, worker=str(os.getpid()), record_clock=clock,
        feed=watch.selection, told=told,
    )  # fmt: skip


def _run(
    parts: Parts,
    roles: AbstractSet[str],
    telemetry: Telemetry,
    port: int | None,
    watches: tuple[RulesWatch | PauseWatch | ReviewWatch, ...],
) -> int:
    settings = parts.settings
    ahead = inf if settings.worker.time_source == "record" else MOST_AHEAD_S
    consent = LmdbConsentView(Path(settings.replica_path()), max_ahead_s=ahead)
    apps = role_apps(parts, roles, consent, telemetry)
    log = structlog.get_logger("tamis.worker").bind(roles=sorted(roles), bundle=parts.bundle.hash)

    def ready() -> None:
        log.info("worker ready", version=version("tamis"), port=port)
        if not roles.isdisjoint(("intake", "release")):
            age = telemetry.age(settings.consent.max_age_s)
            Sampler(lambda: age.sampled(consent.age(parts.now()))).start()

    try:
        return run_apps(apps, ready=ready)
    finally:
        for watch in watches:
            watch.close()
