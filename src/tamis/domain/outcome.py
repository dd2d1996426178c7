"""The closed vocabulary of fates: each event of ``events.raw`` ends in exactly one ``Outcome`` with one reason.

Reasons are closed sets because they become metric labels and audit text; nothing a sender writes may enter them.
"""

from enum import StrEnum


class Outcome(StrEnum):
    """The six outcomes; their counts sum to the events in."""

    ACCEPTED = "accepted"
    DENIED = "denied"
    HELD = "held"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    INVALID = "invalid"


class InvalidReason(StrEnum):
    """Why a record or an event within it could not be used (quarantined)."""

    NOT_JSON = "not_json"
    NOT_UTF8 = "not_utf8"
    TOO_DEEP = "too_deep"
    TOO_LARGE = "too_large"
    EMPTY = "empty"
    UNKNOWN_ENVELOPE = "unknown_envelope"
    WRONG_TYPE = "wrong_type"
    MISSING_FIELD = "missing_field"
    BAD_TIME = "bad_time"
    FUTURE = "future"
    TOO_MANY_EVENTS = "too_many_events"


class Decision(StrEnum):
    """Per purpose and destination."""

    ALLOW = "allow"
    DENY = "deny"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why a purpose or destination was allowed or not; the strongest one is the event's reason."""

    GRANTED = "granted"
    NO_SUBJECT = "no_subject"
    NO_RECORD = "no_record"
    NO_CHOICE = "no_choice"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    NOT_YET = "not_yet_effective"
    ERASED = "erased"
    INLINE_DENIED = "inline_denied"
    INLINE_MALFORMED = "inline_malformed"
    UNKNOWN_PURPOSE = "unknown_purpose"
    UNPLANNED = "unplanned_event"
    NOT_ROUTED = "not_routed"
    LATE = "late"
