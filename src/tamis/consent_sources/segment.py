"""Segment's consent event: track ``Segment Consent Preference Updated`` with ``context.consent.categoryPreferences``.

Rules: only JSON ``true`` is a grant; categories that are not mentioned are refused (Segment takes them as false, also
when it merges profiles); other calls say nothing here, whatever their context; a batch body holds calls. The choice is
dated by the client's ``timestamp``, else ``originalTimestamp``; times of transport (``sentAt``, ``receivedAt``) date
nothing, so a call delivered again keeps its date. Source: Segment's documentation, "Consent in Segment Connections".
Not handled here: categoryPreferences of ordinary events (they narrow that event only, in the envelope).
"""

from typing import Any

from tamis.consent_sources import fields
from tamis.consent_sources.fields import Refused
from tamis.consent_sources.statement import Entry, Statement
from tamis.domain.consent.model import Status
from tamis.domain.event import Invalid
from tamis.domain.outcome import InvalidReason

CONSENT_EVENT = "Segment Consent Preference Updated"
MAX_CALLS = 500
_CALLS = frozenset({"track", "page", "screen", "identify", "group", "alias"})
_PREFERENCES = "$.context.consent.categoryPreferences"


class Segment:
    """Reads Segment calls and batches of them."""

    id = "segment"

    def claims(self, body: dict[str, Any]) -> bool:
        """Whether it is a call or a batch of calls."""
        kind = body.get("type")
        return isinstance(body.get("batch"), list) or (isinstance(kind, str) and kind in _CALLS)

    def read(self, body: dict[str, Any]) -> list[Entry]:
        """A statement for each consent event, or why it cannot be read."""
        calls = body.get("batch", [body])
        if not isinstance(calls, list):
            return [Invalid(InvalidReason.WRONG_TYPE, "$.batch")]
        if len(calls) > MAX_CALLS:
            return [Invalid(InvalidReason.TOO_MANY_EVENTS, "$.batch")]
        return [_read(call) for call in calls if _is_consent(call)]


def _is_consent(call: Any) -> bool:
    return isinstance(call, dict) and call.get("type") == "track" and call.get("event") == CONSENT_EVENT


def _read(call: dict[str, Any]) -> Entry:
    try:
        return _statement(call)
    except Refused as refused:
        return refused.why


def _statement(call: dict[str, Any]) -> Statement:
    if call.get("userId") is None and call.get("anonymousId") is None:
        fields.refuse(InvalidReason.MISSING_FIELD, "$.anonymousId")
    context = fields.table(call.get("context"), "$.context")
    consent = fields.table(context.get("consent"), "$.context.consent")
    preferences = fields.table(consent.get("categoryPreferences"), _PREFERENCES)
    timestamp = fields.moment(call.get("timestamp"), "$.timestamp")
    original = fields.moment(call.get("originalTimestamp"), "$.originalTimestamp")
    return Statement(
        source=Segment.id,
        choices={name: Status.GRANTED if yes is True else Status.DENIED for name, yes in preferences.items()},
        person=fields.identity(call.get("userId"), "$.userId"),
        device=fields.identity(call.get("anonymousId"), "$.anonymousId"),
        effective_at=original if timestamp is None else timestamp,
        complete=True,
    )
