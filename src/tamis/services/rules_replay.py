"""Judges events of the past by two bundles: what a candidate would have changed.

Rules: the engine is the workers' own; nothing is written. Consent is what the replica of this host knows now, for both
bundles: what differs is due to the rules, destinations and policy alone. Sessions begin with the first event read.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

from tamis.domain.audit.log import AuditLog
from tamis.domain.bundle import Bundle
from tamis.domain.differences import Differences
from tamis.domain.keyring import Keyring
from tamis.envelopes.decoder import Decoder
from tamis.envelopes.envelope import Limits
from tamis.intake import Intake
from tamis.kafka.reader import TopicRecord
from tamis.ports import ConsentView, KeyProvider
from tamis.records.batch import RawBatch
from tamis.records.topics import Topic
from tamis.settings import Settings

_BATCH = 4_000


def replay(
    records: Iterable[TopicRecord],
    active: Bundle,
    candidate: Bundle,
    keys: KeyProvider,
    consent: ConsentView,
    settings: Settings,
) -> Differences:
    """The differences over all records, which stand in order within their partitions."""
    limits = settings.limits
    decoder = Decoder(
        keys.derive("event-id"),
        Limits(max_record_bytes=limits.max_record_bytes, max_events_per_record=limits.max_events_per_record),
    )

    def core(bundle: Bundle, shadow: Intake | None = None) -> Intake:
        ring = Keyring(keys.derive, keys.epochs(), [destination.id for destination in bundle.destinations])
        return Intake(bundle, ring, consent, decoder, shadow)

    intake, whole = core(active, core(candidate)), Differences()
    logs: dict[int, AuditLog] = {}
    following: dict[int, int] = {}
    for batch in _batches(records):
        part = batch[0].partition
        first, after = following.get(part, batch[0].offset), batch[-1].offset + 1
        following[part] = after
        log = logs.setdefault(part, AuditLog(f"replay/{part}"))
        found = intake.process(log, RawBatch(Topic.EVENTS_RAW.value, part, batch, first, after, 0)).differences
        if found is not None:
            whole.add(found)
    return whole


def _batches(records: Iterable[TopicRecord]) -> Iterator[list[TopicRecord]]:
    waiting: dict[int, list[TopicRecord]] = {}
    source = iter(records)
    while chunk := list(islice(source, _BATCH)):
        for record in chunk:
            waiting.setdefault(record.partition, []).append(record)
        for part in sorted(waiting):
            yield waiting.pop(part)
