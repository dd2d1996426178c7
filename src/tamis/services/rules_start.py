"""Rules for a worker that starts: the folder's bundle is published, or the first usable one of the topic is waited for.

Rules: a bundle from a folder is put into the topic under its hash, signed by this installation, unless it stands there,
so that the bundle a leaf names can always be found; it moves no pointer. While a worker waits it decides nothing, shows
so in ``tamis_gate_closed`` and can be asked to end.
"""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from tamis.bundles.folder import files_of
from tamis.bundles.published import Published
from tamis.bundles.publishing import bundle_record
from tamis.domain.bundle import Bundle
from tamis.ports import KeyProvider
from tamis.records.rules import WorkerReport
from tamis.records.topics import Topic
from tamis.services.rules_topic import read_published, signer_of, trusted_keys, write
from tamis.services.rules_watch import RulesWatch
from tamis.settings import Settings
from tamis.telemetry.rules import RulesTelemetry

_WAIT_S = 0.2


def worker_name() -> str:
    """Host and process, as reports name a worker."""
    return f"{socket.gethostname()}/{os.getpid()}"


def start_rules(
    settings: Settings,
    keys: KeyProvider,
    report: Callable[..., WorkerReport],
    telemetry: RulesTelemetry,
    given: Bundle | None,
) -> RulesWatch:
    """A started watcher.

    Args:
        settings: of this process.
        keys: whose signing key is this installation's.
        report: see ``rules_watch.reporter``.
        telemetry: told what becomes of published bundles.
        given: the folder's bundle; None to follow the topic.

    Raises:
        SetupError: there is no topic, or the trusted keys are not usable.
        UnreachableError: the cluster does not answer.
    """
    if given is not None:
        publish_folder(settings, keys, given)
    published = Published(settings.topic(Topic.RULES), trusted_keys(settings, keys))
    watch = RulesWatch(settings, published, report, telemetry, given)
    watch.start()
    return watch


def publish_folder(settings: Settings, keys: KeyProvider, bundle: Bundle) -> None:
    """Puts the folder's bundle into the topic unless it stands there."""
    if bundle.hash not in read_published(settings, keys).bundles:
        files = files_of(Path(settings.rules.folder))
        write(settings, [bundle_record(bundle, files, signer_of(keys), time.time_ns() // 1_000_000)])


def wait_for_rules(watch: RulesWatch, telemetry: RulesTelemetry) -> bool:
    """Waits for the first usable bundle; False when a signal asked to end. The main thread only."""
    if watch.wait(0):
        return True
    structlog.get_logger("tamis.rules").info("waiting for rules: tamis rules publish")
    telemetry.waiting(closed=True)
    stop = threading.Event()

    def ask(*_: Any) -> None:
        stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        while not stop.is_set():
            if watch.wait(_WAIT_S):
                return True
        return False
    finally:
        telemetry.waiting(closed=False)
        for number, handler in before.items():
            signal.signal(number, handler)
