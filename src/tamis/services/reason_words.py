"""Outcomes and reasons as sentences for people who do not know tamis; every word of the vocabulary has one."""

from collections.abc import Mapping

from tamis.domain.outcome import HeldOutcome, InvalidReason, Outcome, Reason

OUTCOMES: Mapping[str, str] = {
    Outcome.ACCEPTED: "it was sent on to at least one destination",
    Outcome.DENIED: "it was sent nowhere",
    Outcome.HELD: "it was held back, encrypted, to be decided again when consent may be known",
    Outcome.DUPLICATE: "it was sent nowhere, because the same event had been received before",
    Outcome.CONFLICT: "it was set aside, because another event with the same id had been received before",
    Outcome.INVALID: "it was set aside, because it could not be used",
    HeldOutcome.RELEASED: "it had been held back and was now sent on",
    HeldOutcome.FORWARDED: "it had been held back and was held back once more, for the last time",
}

REASONS: Mapping[str, str] = {
    Reason.GRANTED: "every purpose that is needed was consented to",
    Reason.NOT_OPTED_OUT: "the regulation allows it unless the person objects, and there was no objection",
    Reason.INLINE_GRANTED: "the consent that came with the event allows it",
    Reason.NO_SUBJECT: "the event names neither a person nor a device",
    Reason.NO_RECORD: "nothing was known about the consent of this person or device",
    Reason.NO_CHOICE: "the person had made no choice about a purpose that is needed",
    Reason.UNREADABLE: "it was held back and could not be opened again",
    Reason.UNDECIDED: "no choice became known in the time it was held back",
    Reason.DENIED: "the person refused a purpose that is needed",
    Reason.WITHDRAWN: "the person had withdrawn consent to a purpose that is needed",
    Reason.OPTED_OUT: "the person had opted out",
    Reason.EXPIRED: "the consent had expired",
    Reason.NOT_YET: "the consent was not in force yet",
    Reason.OLD_NOTICE: "the consent was given to an older privacy notice than the one in force",
    Reason.ERASED: "the person's data had been erased on request",
    Reason.RESTRICTED: "processing of the person's data was restricted on request",
    Reason.CHILD: "the person is a child",
    Reason.AGE_UNKNOWN: "the person's age is not known, and might be a child's",
    Reason.INLINE_DENIED: "the consent that came with the event refuses a purpose that is needed",
    Reason.INLINE_SILENT: "the consent that came with the event says nothing about a purpose that is needed",
    Reason.INLINE_MALFORMED: "the consent that came with the event could not be read, which counts as no",
    Reason.INLINE_UNSUPPORTED: "the consent that came with the event is of an unsupported kind, which counts as no",
    Reason.UNKNOWN_PURPOSE: "a purpose that is needed is not one the policy knows",
    Reason.UNKNOWN_REGULATION: "the regulation the event falls under is not known",
    Reason.UNPLANNED: "no rule plans for this event, and no destination takes unplanned events",
    Reason.NOT_ROUTED: "the rule for this event names no destination that is open",
    Reason.LATE: "the event came later than this destination allows",
    Reason.UNRECORDABLE: "more is known than one audit entry can state, and what cannot be stated is not used",
    Reason.BOT: "the event came from a program, not from a person",
    Reason.DUPLICATE: "the same event had been received before",
    Reason.CONFLICT: "another event with the same id had been received before",
    InvalidReason.REQUIRED_MISSING: "it lacks a property that its rule requires",
    InvalidReason.BAD_VALUE: "a property has a value that its rule does not allow",
    InvalidReason.ADDITIONAL_PROPERTY: "it has a property that its rule does not know",
    InvalidReason.OVER_CAP: "it is beyond the number of conversions that its rule counts",
    InvalidReason.NOT_JSON: "it is not JSON",
    InvalidReason.NOT_UTF8: "it is not text",
    InvalidReason.TOO_DEEP: "it is nested too deeply",
    InvalidReason.TOO_LARGE: "it is too large",
    InvalidReason.EMPTY: "it is empty",
    InvalidReason.UNKNOWN_ENVELOPE: "it is in no form that is known",
    InvalidReason.WRONG_TYPE: "a field has the wrong type",
    InvalidReason.MISSING_FIELD: "a field that is needed is missing",
    InvalidReason.BAD_TIME: "its time cannot be read",
    InvalidReason.FUTURE: "its time is too far in the future",
    InvalidReason.TOO_MANY_EVENTS: "there are too many events in one record",
}

STATUSES: Mapping[str, str] = {
    "granted": "consent",
    "denied": "refusal",
    "withdrawn": "withdrawal",
    "none": "nothing was ever said",
    "not_yet": "nothing had been said by then",
    "erased": "erased on request",
    "restricted": "restricted on request",
}


def words(reason: str) -> str:
    """A reason as a sentence; itself when it is of a later version than this."""
    return REASONS.get(reason, reason)
