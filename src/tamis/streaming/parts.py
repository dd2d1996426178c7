"""What the Faust apps of one process share: settings, the bundles to run, keys, the clock of events.

Rules: loaded once a process, so that all problems of configuration and keys show before anything starts.
"""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from tamis.bundles.candidate import with_shadow_rules
from tamis.bundles.load import load_bundle
from tamis.domain.bundle import Bundle
from tamis.domain.keyring import Keyring
from tamis.domain.selection import Selection
from tamis.envelopes.decoder import Decoder
from tamis.envelopes.envelope import Limits, SingleId
from tamis.keys.provider import open_keys
from tamis.keys.watched import WatchedKeys
from tamis.ports import KeyProvider
from tamis.records.topics import Topic
from tamis.settings import Settings, SetupError
from tamis.streaming.switch import Feed
from tamis.streaming.transport.clock import RecordClock


def nobody_told(_selection: Selection) -> None:
    """Tells nobody of a selection."""


def never() -> str | None:
    """A gate that is always open."""
    return None


def _same(selection: Selection) -> Selection:
    return selection


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What the apps of one process share.

    Attributes:
        settings: all settings.
        bundle: the active configuration.
        keys: key material.
        worker: distinguishes this process from others on the host.
        record_clock: shared time of topics under ``time_source = record``, else None.
        feed: gives the newest selection; None: ``bundle`` for ever.
        told: called when intake goes on with another selection.
        paused: why intake is paused, None when it is not.
    """

    settings: Settings
    bundle: Bundle
    keys: KeyProvider
    worker: str
    record_clock: RecordClock | None = None
    feed: Feed | None = None
    told: Callable[[Selection], None] = nobody_told
    paused: Callable[[], str | None] = never

    def selection(self) -> Feed:
        """What gives the newest selection."""
        return self.feed or partial(_same, Selection(self.bundle, with_shadow_rules(self.bundle)))

    def ring(self) -> object:
        """The key ring in use, after a look whether it was rotated: another object when it was.

        Raises:
            SetupError: the keys have changed into ones that cannot be used.
        """
        return self.keys.newest() if isinstance(self.keys, WatchedKeys) else self.keys

    def now(self) -> int:
        """The time events are judged at, ms."""
        return event_clock(self.settings, self.record_clock)()


def folder_bundle(settings: Settings) -> Bundle:
    """The bundle of ``rules.folder``.

    Raises:
        SetupError: it cannot be used; the text lists everything.
    """
    folder = Path(settings.rules.folder)
    bundle = load_bundle(folder)
    if isinstance(bundle, list):
        raise SetupError("\n".join([f"{folder} cannot be used:", *(f"  {problem}" for problem in bundle)]))
    return bundle


def load_parts(settings: Settings, worker: str = "0") -> Parts:
    """Loads what a worker needs, its bundle from the folder.

    Raises:
        SetupError: configuration or keys cannot be used; the text lists everything.
    """
    bundle, clock = folder_bundle(settings), record_clock(settings)
    return Parts(settings=settings, bundle=bundle, keys=open_keys(settings), worker=worker, record_clock=clock)


def record_clock(settings: Settings) -> RecordClock | None:
    """The clock of a process under ``time_source = record``."""
    return RecordClock() if settings.worker.time_source == "record" else None


def event_clock(settings: Settings, clock: RecordClock | None) -> Callable[[], int]:
    """What tells the time events are judged at, ms; a ``clock`` of records stands still while none come."""
    if clock is None:
        return lambda: time.time_ns() // 1_000_000
    topic = settings.topic(Topic.EVENTS_RAW)
    return lambda: clock.read(topic) or 0


def keyring(parts: Parts, bundle: Bundle | None = None) -> Keyring:
    """The key functions of a bundle's destinations; ``parts.bundle`` unless another one is given.

    Made anew, by a ``Switch`` that is given ``parts.ring``, whenever the bundle or the keys are other ones.
    """
    destinations = (bundle or parts.bundle).destinations
    return Keyring(parts.keys.derive, parts.keys.epochs(), [destination.id for destination in destinations])


def event_decoder(settings: Settings, keys: KeyProvider) -> Decoder:
    """The decoder of ``events.raw`` under these settings."""
    limits = Limits(
        max_record_bytes=settings.limits.max_record_bytes,
        max_events_per_record=settings.limits.max_events_per_record,
    )
    vendor = None if settings.envelopes.vendor == "detect" else settings.envelopes.vendor
    return Decoder(keys.derive("event-id"), limits, vendor, single_id=SingleId(settings.envelopes.single_id))
