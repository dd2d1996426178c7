"""RudderStack: calls that carry ``context.consentManagement``, and batches of them.

Rules: ids in ``allowedConsentIds`` are granted, ids in ``deniedConsentIds`` refused, an id in both refused; ids are
case-sensitive. Browsers date the call as ``originalTimestamp``, servers as ``timestamp``. A call without the object
says nothing. Source: RudderStack, "Consent management".
"""

from typing import Any

from tamis.consent_sources import fields
from tamis.consent_sources.statement import Entry, Statement
from tamis.consent_sources.words import YES_NO, Choices
from tamis.domain.outcome import InvalidReason

_PATH = "$.context.consentManagement"


class RudderStack:
    """Reads calls and batches."""

    id = "rudderstack"

    def claims(self, body: dict[str, Any]) -> bool:
        """Whether any of its calls carries the object."""
        return any(_carries(call) for call in _calls(body))

    def read(self, body: dict[str, Any]) -> list[Entry]:
        """A statement for each call that carries the object."""
        return [fields.attempt(_statement, call) for call in _calls(body) if _carries(call)]


def _calls(body: dict[str, Any]) -> list[Any]:
    batch = body.get("batch")
    return batch[: fields.MAX_ROWS] if isinstance(batch, list) else [body]


def _carries(call: Any) -> bool:
    context = call.get("context") if isinstance(call, dict) else None
    return isinstance(context, dict) and "consentManagement" in context


def _statement(call: dict[str, Any]) -> Statement:
    said = fields.table(call["context"]["consentManagement"], _PATH)
    choices = Choices(YES_NO)
    for field, word in (("allowedConsentIds", True), ("deniedConsentIds", False)):
        found = said.get(field, [])
        if not isinstance(found, list):
            fields.refuse(InvalidReason.WRONG_TYPE, f"{_PATH}.{field}")
        for category in found:
            choices.add(fields.name(category, f"{_PATH}.{field}"), word)
    original = fields.moment(call.get("originalTimestamp"), "$.originalTimestamp")
    timestamp = fields.moment(call.get("timestamp"), "$.timestamp")
    return Statement(
        source=RudderStack.id,
        choices=choices.found,
        person=fields.identity(call.get("userId") or None, "$.userId"),
        device=fields.identity(call.get("anonymousId") or None, "$.anonymousId"),
        effective_at=timestamp if original is None else original,
        event_id=fields.label(call.get("messageId")),
    )
