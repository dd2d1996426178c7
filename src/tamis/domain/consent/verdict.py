"""What a record says about one purpose at one time: the statement in force, and the span in which that stays so.

Rules: a statement is in force from its ``effective_at``; the newest one holds, in the order of ``consent.fold``; but a
refusal also beats a grant that was stated later while the refusal had not been received yet, within ``skew_ms``: a
client whose clock is slow must not lose a withdrawal (ADR 0010). Where one source numbers both, its numbers decide.
A suppressed record, and one without a salt, is erased; a restricted one allows nothing. Pure.
Not handled here: what the statement in force is worth under a policy (``consent.judge``).
"""

import msgspec

from tamis.domain.consent.model import PurposeVersion, Status, SubjectRecord

FOREVER = 1 << 62
ERASED, RESTRICTED = "erased", "restricted"
NONE, NOT_YET = "none", "not_yet"
NO_NOTICE = -1

_TEXTS = {status: status.value for status in Status}  # reading a member's value is slow
_YIELDING = (Status.GRANTED.value, NOT_YET)
Versions = tuple[PurposeVersion, ...]


class Said(msgspec.Struct, frozen=True, gc=False):
    """What one record says about one purpose at one time; everything the judgement looks at.

    Attributes:
        status: a ``Status``, NONE (nothing was ever said) or NOT_YET (nothing was said until then).
        effective_at: since when, ms; 0 for NONE and NOT_YET.
        expires_at: end that the statement itself names, ms, None without one.
        notice: major version of the notice, ``NO_NOTICE`` when none can be read.
        moves: a grant that may hold for the person of the event: made while logged in, and not by somebody else.
    """

    status: str
    effective_at: int = 0
    expires_at: int | None = None
    notice: int = NO_NOTICE
    moves: bool = False


class Span(msgspec.Struct, frozen=True, gc=False):
    """A half-open span of times, ms: ``since <= t < until``."""

    since: int
    until: int


NOTHING = Said(NONE)
NOTHING_YET = Said(NOT_YET)
ALWAYS = Span(-FOREVER, FOREVER)


def state_of(record: SubjectRecord) -> str:
    """``ERASED``, ``RESTRICTED`` or "" for a record whose statements count."""
    if record.suppressed_at is not None or not record.salt:
        return ERASED
    return RESTRICTED if record.restricted() else ""


def said_at(versions: Versions, at: int, skew_ms: int, person: str = "") -> tuple[Said, Span]:
    """The statement in force at ``at``, and for which times it is; an end by expiry is not part of the span.

    Args:
        versions: newest first.
        at: ms.
        skew_ms: see the module.
        person: subject key of the event's person, "" for nobody; a grant by somebody else does not move.
    """
    until = FOREVER
    for place, version in enumerate(versions):
        if version.effective_at <= at:
            found = _in_force(versions[place:], skew_ms)
            return _said(found, person), Span(version.effective_at, until)
        until = version.effective_at
    return (NOTHING_YET if versions else NOTHING), Span(-FOREVER, until)


def as_known(versions: Versions, now: Said, skew_ms: int, person: str = "") -> Said:
    """What is said now, unless a refusal is known that came since.

    An event may be decided long after it was received, and "now" is then the time of receipt: what was let out before a
    withdrawal reached us cannot be helped, what is let out after it can.

    Args:
        versions: newest first.
        now: what ``said_at`` gives for now.
        skew_ms: as for ``said_at``.
        person: likewise.
    """
    if not versions or now.status not in _YIELDING or versions[0].effective_at <= now.effective_at:
        return now
    newest = _said(_in_force(versions, skew_ms), person)
    return now if newest.status == Status.GRANTED else newest


def _in_force(versions: Versions, skew_ms: int) -> PurposeVersion:
    newest = versions[0]
    if newest.status is not Status.GRANTED:
        return newest
    for other in versions[1:]:
        if other.status is not Status.GRANTED and _beats(other, newest, skew_ms):
            return other
    return newest


def _beats(refusal: PurposeVersion, grant: PurposeVersion, skew_ms: int) -> bool:
    """Whether a refusal stated before a grant may have been made after it."""
    if refusal.seq and grant.seq and refusal.source == grant.source:
        return refusal.seq > grant.seq
    return min(refusal.recorded_at, refusal.effective_at + skew_ms) >= grant.effective_at


def _said(version: PurposeVersion, person: str) -> Said:
    moves = version.authenticated and version.status is Status.GRANTED and version.person in ("", person)
    return Said(_TEXTS[version.status], version.effective_at, version.expires_at, major(version.notice), moves)


def major(notice: str | None) -> int:
    """Major version of a notice: the first number of "3", "3.1" or "v3.1-fr"; ``NO_NOTICE`` for other texts."""
    if notice is None:
        return NO_NOTICE
    digits = notice.removeprefix("v").removeprefix("V").partition(".")[0].partition("-")[0]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 9 else NO_NOTICE  # noqa: PLR2004 - larger is no version
