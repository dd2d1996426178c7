"""How an erasure reaches other subjects, and the receipts it gives.

Rules: the erasure of a person is passed on to the devices linked with it, never from a device to its persons: a device
may be shared, a person's request is its own. A link older than the erasure may arrive after it; it is passed on then.
Passing on is a record of ``consent.changes`` for the other subject, whose partition may be another one's. A receipt is
given for each subject and request, also when there was nothing to erase; a repeat of the same request gives none.
Not handled here: devices that an erased person uses later, which have a life of their own.
"""

from collections.abc import Iterator

import msgspec

from tamis.domain.audit.requests import ErasureReceipt
from tamis.domain.consent.model import ConsentChange, Erasure, IdentityLink, Restriction, SubjectRecord

PERSON, DEVICE = "person", "device"

_encode = msgspec.json.Encoder().encode


def spread(
    before: SubjectRecord | None, after: SubjectRecord, change: ConsentChange | IdentityLink | Erasure | Restriction
) -> Iterator[tuple[bytes, bytes]]:
    """Key and value of the erasures of other subjects that follow from one change.

    Args:
        before: the subject's record before it, None when there was none.
        after: the record after it.
        change: what was said.
    """
    erased_at = after.suppressed_at
    if erased_at is None or after.identity != PERSON:
        return
    others: list[str] = []
    if isinstance(change, Erasure):
        links = before.links if before is not None else ()
        others = [link.subject for link in links if link.since <= erased_at]
    elif isinstance(change, IdentityLink | ConsentChange):
        since = change.since if isinstance(change, IdentityLink) else change.effective_at
        others = [change.other] if change.other and since <= erased_at else []
    for other in others:
        passed = Erasure(subject=other, identity=DEVICE, at=erased_at, request=after.erased_by)
        yield other.encode(), _encode(passed)


def receipts(before: SubjectRecord | None, after: SubjectRecord, change: Erasure) -> Iterator[ErasureReceipt]:
    """The receipt of one erasure; ``records`` says how many salts were destroyed, 0 or 1."""
    repeated = after is before and after.erased_by == change.request
    if not repeated:
        destroyed = before is not None and bool(before.salt)
        yield ErasureReceipt(at=change.at, request=change.request, records=int(destroyed))
