"""Values of ``rules.shadow``: how a candidate bundle would have judged one batch of ``events.raw``.

Rules: one record a batch that has events, in the batch's transaction, so that sums over the topic are exact: each event
is in it once. Ids, stages and reasons only; nothing of an event.
"""

from collections.abc import Iterable

import msgspec

from tamis.domain.differences import Change, Differences


class ShadowRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The differences of one batch.

    Attributes:
        v: schema version.
        active: hash of the bundle that decided.
        candidate: hash of the bundle that was compared.
        partition: of ``events.raw``.
        first, next: offsets the batch covers, ``[first, next)``.
        at: time of receipt of the batch's last record, ms.
        events: events judged by both bundles.
        differing: events among them that differ.
        changes: rule, candidate's rule, stage, candidate's stage, destination, verdict, candidate's verdict, events.
    """

    active: str
    candidate: str
    partition: int
    first: int
    next: int
    at: int
    events: int
    differing: int
    changes: tuple[tuple[str, str, str, str, str, str, str, int], ...]
    v: int = 1


def encode_differences(hashes: tuple[str, str], span: tuple[int, int, int], at: int, found: Differences) -> bytes:
    """One record's value; ``hashes`` of the active bundle and the candidate, ``span`` = partition, first, next."""
    partition, first, after = span
    return msgspec.json.encode(
        ShadowRecord(
            active=hashes[0],
            candidate=hashes[1],
            partition=partition,
            first=first,
            next=after,
            at=at,
            events=found.events,
            differing=found.differing,
            changes=tuple((*change, n) for change, n in sorted(found.changes.items())),
        )
    )


def decode_differences(value: bytes) -> ShadowRecord | None:
    """The record, None when it is none of this version."""
    try:
        found = msgspec.json.decode(value, type=ShadowRecord)
    except msgspec.DecodeError:
        return None
    return found if found.v == 1 else None


def total(records: Iterable[ShadowRecord]) -> Differences:
    """The sum of several records."""
    whole = Differences()
    for record in records:
        whole.events += record.events
        whole.differing += record.differing
        for *change, n in record.changes:
            whole.changes[Change(*change)] += n
    return whole
