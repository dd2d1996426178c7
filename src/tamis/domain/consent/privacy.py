"""What a privacy request does to a subject's record; like ``fold``, the same record for every order of arrival.

Rules: erasure leaves a suppression record: no salt, no history, no links, only when it was first asked for and by which
request; it is made for a subject without a record too, so that a statement on its way cannot bring the person back, and
nothing ever changes it into anything else. A restriction and its end are the newest of their kind; the later of the two
holds, the restriction when both are of one moment. The revision goes on, since audit leaves cite it.
Not handled here: telling recipients (``retraction``), what is linked (``folding``), objections, which are statements.
"""

import msgspec

from tamis.domain.consent.fold import new_record
from tamis.domain.consent.model import Erasure, Restriction, SubjectRecord


def erase(record: SubjectRecord | None, change: Erasure) -> SubjectRecord:
    """The suppression record of the first request; the same object when it is that one already."""
    revision = 1
    if record is not None:
        first = (record.suppressed_at, record.erased_by)
        if first[0] is not None and first <= (change.at, change.request):
            return record
        revision = record.revision + 1
    return SubjectRecord(
        salt="", revision=revision, identity=record.identity if record else change.identity, purposes={},
        suppressed_at=change.at, erased_by=change.request,
    )  # fmt: skip


def restrict(record: SubjectRecord | None, change: Restriction, fresh_salt: bytes) -> SubjectRecord:
    """The record after a restriction or its end; the same object when it says nothing new.

    Args:
        record: the record so far, None for a subject not seen before.
        change: the request.
        fresh_salt: as for ``fold``.

    Raises:
        ValueError: a new record needs a salt of ``SALT_BYTES``.
    """
    if record is None:
        record = new_record(change.identity, fresh_salt)
    elif record.suppressed_at is not None:
        return record
    before = record.lifted_at if change.lifted else record.restricted_at
    if before is not None and before >= change.at:
        return record
    revision = record.revision + 1
    if change.lifted:
        return msgspec.structs.replace(record, revision=revision, lifted_at=change.at)
    return msgspec.structs.replace(record, revision=revision, restricted_at=change.at)
