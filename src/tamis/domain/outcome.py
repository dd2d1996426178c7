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


class HeldOutcome(StrEnum):
    """What became of an event that had been held, one per leaf of ``audit.held``."""

    RELEASED = "released"
    DENIED = "denied"
    FORWARDED = "forwarded"


LATER_DENIED = "denied_later"
"""In counts, the word for an event that had been held and was then denied: intake's own denials are another number."""
LATER = frozenset((HeldOutcome.RELEASED.value, LATER_DENIED))
"""Words of counts for events that were counted before, when they were held."""
SENT = frozenset((Outcome.ACCEPTED.value, HeldOutcome.RELEASED.value))
"""Words of counts for events that went out."""


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
    CONFLICT = "conflict"
    REQUIRED_MISSING = "required_missing"
    ADDITIONAL_PROPERTY = "additional_property"
    BAD_VALUE = "bad_value"
    LATE = "late"
    OVER_CAP = "over_cap"
    UNPLANNED = "unplanned_event"


class Decision(StrEnum):
    """Per purpose, destination and event. UNKNOWN lets nothing out; it says that a yes in the record would."""

    ALLOW = "allow"
    DENY = "deny"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why a purpose, destination or event was allowed or not; the strongest one is the event's reason.

    Allowed: GRANTED, NOT_OPTED_OUT (a regulation where silence is yes), INLINE_GRANTED (a regulation whose only source
    is the event itself). Unknown: NO_RECORD, NO_CHOICE. Not of consent: BOT, DUPLICATE, CONFLICT, UNDECIDED (held, and
    nobody decided in time), UNRECORDABLE (the leaf could not state what it would be decided on),
    UNREADABLE (held, and not to be opened again).
    """

    GRANTED = "granted"
    NOT_OPTED_OUT = "not_opted_out"
    INLINE_GRANTED = "inline_granted"
    NO_SUBJECT = "no_subject"
    NO_RECORD = "no_record"
    NO_CHOICE = "no_choice"
    UNDECIDED = "undecided"
    UNREADABLE = "unreadable"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    OPTED_OUT = "opted_out"
    EXPIRED = "expired"
    NOT_YET = "not_yet_effective"
    OLD_NOTICE = "old_notice"
    ERASED = "erased"
    RESTRICTED = "restricted"
    CHILD = "child"
    AGE_UNKNOWN = "age_unknown"
    INLINE_DENIED = "inline_denied"
    INLINE_SILENT = "inline_silent"
    INLINE_MALFORMED = "inline_malformed"
    INLINE_UNSUPPORTED = "inline_unsupported"
    UNKNOWN_PURPOSE = "unknown_purpose"
    UNKNOWN_REGULATION = "unknown_regulation"
    UNPLANNED = "unplanned_event"
    NOT_ROUTED = "not_routed"
    LATE = "late"
    UNRECORDABLE = "unrecordable"
    BOT = "bot"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
