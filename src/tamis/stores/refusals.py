"""When a newly written subject record began to refuse: what the time to enforce a withdrawal is measured from.

Rules: a refusal counts from its receipt (``recorded_at``), a restriction and an erasure from that of the request. Only
what was not refused before counts. Records that cannot refuse are told by their bytes and not decoded.
"""

import msgspec

from tamis.domain.consent.model import Status, SubjectRecord
from tamis.domain.consent.retraction import newly_refused

_MARKS = (b'"withdrawn"', b'"denied"', b'"restricted_at"', b'"suppressed_at"')

_decode = msgspec.json.Decoder(SubjectRecord).decode


def may_refuse(value: bytes) -> bool:
    """Whether a stored record can refuse anything."""
    return any(mark in value for mark in _MARKS)


def refused_since(before: bytes | None, after: bytes) -> int | None:
    """When the word was received (ms) that makes ``after`` refuse what ``before`` did not; None when there is none.

    Args:
        before: the record as it was, None when there was none.
        after: as it is.

    Raises:
        msgspec.DecodeError: one of them is no subject record.
    """
    if before is None:
        return None
    old, new = _decode(before), _decode(after)
    if not old.salt:
        return None
    if not new.salt:
        return new.suppressed_at
    times = [
        version.recorded_at
        for scope in newly_refused(old, new, 0)
        for version in new.purposes[scope][:1]
        if version.status is not Status.GRANTED
    ]
    if new.restricted() and not old.restricted() and new.restricted_at is not None:
        times.append(new.restricted_at)
    return max(times, default=None)
