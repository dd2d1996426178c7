"""What this version of tamis, with the rules now active, says of an input that was refused before.

Rules: events go through the workers' own core, with throw-away keys and no consent, so the answer is only whether they
can be used; statements of consent and privacy requests go through the workers' own readers. Nothing is written.
"""

import time
from pathlib import Path

import msgspec

from tamis.bundles.consent_reader import consent_reader
from tamis.bundles.load import load_bundle
from tamis.consent_sources.normalise import Reader
from tamis.consent_sources.privacy import REQUEST_KEY, RequestReader
from tamis.domain.audit.log import AuditLog
from tamis.domain.bundle import Bundle
from tamis.domain.consent.model import SubjectRecord
from tamis.domain.epochs import Epochs
from tamis.domain.event import Event, Invalid
from tamis.domain.keyring import Keyring
from tamis.domain.outcome import Outcome
from tamis.domain.quarantine import Headers, QuarantineEntry
from tamis.envelopes.decoder import Decoder
from tamis.envelopes.envelope import Limits, SingleId
from tamis.intake import Intake
from tamis.keys.provider import open_keys
from tamis.records.batch import RawBatch
from tamis.records.topics import Topic
from tamis.services.dry_run import throw_away_key
from tamis.services.quarantine.opening import Original
from tamis.services.rules_topic import read_published
from tamis.settings import Settings, SetupError


class _Record(msgspec.Struct, frozen=True):
    """In the shape of ``ports.RawRecord``."""

    offset: int
    timestamp: int
    value: bytes
    headers: Headers
    key: bytes | None = None


class _Nobody:
    """A consent replica that knows nobody."""

    def get(self, subject_key: str) -> SubjectRecord | None:
        del subject_key
        return None

    def version(self) -> int:
        return 0


class _Source(msgspec.Struct):
    i: int


class _Leaf(msgspec.Struct):
    out: str
    src: _Source
    why: str


_leaf = msgspec.json.Decoder(_Leaf).decode


class Fate(msgspec.Struct, frozen=True):
    """What one event (or statement) of a record is now.

    Attributes:
        index: within the record.
        why: reason of a refusal, "" when it can be used.
        undated: it states no time: sent again it would be judged as if it had happened then.
    """

    index: int
    why: str
    undated: bool = False


class Recheck:
    """Looks again.

    Args:
        settings: limits, vendor and rules are those of the workers.

    Raises:
        SetupError: rules, keys or mappings cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        bundle, limits = active_bundle(settings), settings.limits
        ring = Keyring(throw_away_key, Epochs("0"), [destination.id for destination in bundle.destinations])
        decoder = Decoder(
            throw_away_key("event-id"),
            Limits(max_record_bytes=limits.max_record_bytes, max_events_per_record=limits.max_events_per_record),
            None if settings.envelopes.vendor == "detect" else settings.envelopes.vendor,
            single_id=SingleId(settings.envelopes.single_id),
        )
        self._decode = decoder.decode
        self._intake = Intake(bundle, ring, _Nobody(), decoder)
        self._live = settings.worker.time_source == "broker"
        self._readers: dict[str, Reader] = {
            Topic.CONSENT_RAW: consent_reader(settings),
            Topic.PRIVACY_REQUESTS: RequestReader(throw_away_key(REQUEST_KEY), bundle.policy),
        }

    def fates(self, entry: QuarantineEntry, original: Original) -> list[Fate]:
        """One for each event of the record, in order."""
        if entry.topic in self._readers:
            found = self._readers[entry.topic].read(original.value)
            stated = [found] if isinstance(found, Invalid) else found
            return [Fate(n, each.reason if isinstance(each, Invalid) else "") for n, each in enumerate(stated)]
        now = time.time_ns() // 1_000_000 if self._live else entry.received_at
        record = _Record(0, now, original.value, original.headers)
        batch = RawBatch(entry.topic, entry.partition, [record], 0, 1, now)
        leaves = map(_leaf, self._intake.process(AuditLog("recheck/0"), batch).leaves)
        read = self._decode(original.value, original.headers, now)
        dated = [] if isinstance(read, Invalid) else [isinstance(e, Event) and e.occurred_at is not None for e in read]
        return [
            Fate(leaf.src.i, leaf.why, False) if leaf.out == Outcome.INVALID else Fate(n, "", not dated[n])
            for n, leaf in enumerate(leaves)
        ]

    def say(self, entry: QuarantineEntry, original: Original) -> list[str]:
        """The same in words."""
        fates = self.fates(entry, original)
        return [f"event {fate.index}: {f'refused: {fate.why}' if fate.why else 'can be used'}" for fate in fates]


def active_bundle(settings: Settings) -> Bundle:
    """The rules workers go by: those of the folder, or those the topic's pointer names.

    Raises:
        SetupError: they cannot be used, or none are published.
    """
    if settings.rules.source == "folder":
        found = load_bundle(Path(settings.rules.folder))
        if isinstance(found, list):
            lines = [f"{settings.rules.folder} cannot be used:", *map("  {}".format, found)]
            raise SetupError("\n".join(lines))
        return found
    published = read_published(settings, open_keys(settings))
    pointer = published.pointer()
    bundle = published.check(pointer.hash).bundle if pointer is not None else None
    if bundle is None:
        raise SetupError("the topic rules names no usable bundle (tamis rules status)")
    return bundle
