"""What a subject's record says about one purpose at one event time and now, with the span in which that answer holds.

Rules: only an explicit, effective, unexpired grant is a yes; the version in force at a time is the newest one whose
``effective_at`` is not later; a future-dated grant is not yet a yes; a suppressed subject is never a yes; opt-in is the
only default implemented: silence is ``no_choice``. The answer is a pure function of (versions, event time, now).
Not handled here: inline signals and the join of device and person (``domain.standing``).
"""

import msgspec

from tamis.domain.consent.model import PurposeVersion, Status, SubjectRecord
from tamis.domain.outcome import Reason

FOREVER = 1 << 62

_REFUSED = {Status.DENIED: Reason.DENIED, Status.WITHDRAWN: Reason.WITHDRAWN}


class Opinion(msgspec.Struct, frozen=True, gc=False):
    """What one record says about one purpose.

    Attributes:
        reason: GRANTED, or why not.
        since, until: event times (ms) for which this answer holds: ``since <= occurred_at < until``.
        now_since, now_until: the answer holds for ``now_since <= now < now_until``, ms.
        facts: JSON text of what it was decided on: ``[status, effective_at, expires_at]`` at the event and now.
    """

    reason: Reason
    since: int
    until: int
    now_since: int
    now_until: int
    facts: str


def _expiry(version: PurposeVersion, max_age_ms: int | None) -> int:
    ends = version.expires_at if version.expires_at is not None else FOREVER
    return ends if max_age_ms is None else min(ends, version.effective_at + max_age_ms)


def _status_at(
    versions: tuple[PurposeVersion, ...], at: int, max_age_ms: int | None
) -> tuple[Reason, int, int, PurposeVersion | None]:
    """Reason in force at ``at``, the half-open span of times with that answer, and the version that gave it."""
    until = FOREVER
    for version in versions:  # newest first
        if version.effective_at <= at:
            if version.status is not Status.GRANTED:
                return _REFUSED[version.status], version.effective_at, until, version
            ends = _expiry(version, max_age_ms)
            if at < ends:
                return Reason.GRANTED, version.effective_at, min(until, ends), version
            return Reason.EXPIRED, max(ends, version.effective_at), until, version
        until = version.effective_at
    return (Reason.NOT_YET if versions else Reason.NO_CHOICE), -FOREVER, until, None


def _fact(version: PurposeVersion | None, max_age_ms: int | None) -> str:
    if version is None:
        return '["none",null,null]'
    ends = _expiry(version, max_age_ms)
    return f'["{version.status.value}",{version.effective_at},{"null" if ends == FOREVER else ends}]'


def opinion(
    record: SubjectRecord, scope: str, occurred_at: int, now: int, valid_at: str, max_age_ms: int | None
) -> Opinion:
    """Judges one purpose.

    Args:
        record: the subject's record.
        scope: "<regulation>/<purpose>".
        occurred_at: event time, ms.
        now: time of the decision (``received_at``), ms.
        valid_at: "both", "event" or "now"; anything else is judged as "both".
        max_age_ms: how long a grant lives without renewal, None for ever.
    """
    if record.suppressed_at is not None or not record.salt:
        return Opinion(Reason.ERASED, -FOREVER, FOREVER, -FOREVER, FOREVER, '["erased",null,null],["erased",null,null]')
    versions = record.purposes.get(scope, ())
    then, since, until, old = _status_at(versions, occurred_at, max_age_ms)
    current, now_since, now_until, new = _status_at(versions, now, max_age_ms)
    facts = f"{_fact(old, max_age_ms)},{_fact(new, max_age_ms)}"
    if valid_at == "event":
        return Opinion(then, since, until, now_since, now_until, facts)
    if valid_at == "now":
        return Opinion(current, since, until, now_since, now_until, facts)
    reason = then if current is Reason.GRANTED else current
    return Opinion(reason, since, until, now_since, now_until, facts)
