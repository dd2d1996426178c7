"""The canonical form of a consent statement, documented in docs/consent-canonical-form.md.

Rules: ``{"type": "consent", "identity": {...}, "choices": {...}, "effective_at": ...}`` and optional fields; the time
of the choice is required; a status other than the three words is a refusal; unknown fields are ignored. A statement
without any usable identity is about nobody and changes nothing.
"""

from typing import Any

from tamis.consent_sources import fields
from tamis.consent_sources.fields import Refused
from tamis.consent_sources.statement import Entry, Statement
from tamis.domain.consent.model import Status
from tamis.domain.outcome import InvalidReason

_STATUSES: dict[Any, Status] = {status.value: status for status in Status}


class Canonical:
    """Reads the canonical form."""

    id = "canonical"

    def claims(self, body: dict[str, Any]) -> bool:
        """Whether ``type`` says so."""
        return body.get("type") == "consent"

    def read(self, body: dict[str, Any]) -> list[Entry]:
        """The one statement, or why it cannot be read."""
        try:
            return [_statement(body)]
        except Refused as refused:
            return [refused.why]


def _statement(body: dict[str, Any]) -> Statement:
    who = fields.table(body.get("identity"), "$.identity")
    if who.get("person") is None and who.get("device") is None:
        fields.refuse(InvalidReason.MISSING_FIELD, "$.identity")
    effective_at = fields.moment(body.get("effective_at"), "$.effective_at")
    if effective_at is None:
        fields.refuse(InvalidReason.MISSING_FIELD, "$.effective_at")
    choices = fields.table(body.get("choices"), "$.choices")
    return Statement(
        source=fields.label(body.get("source")) or Canonical.id,
        choices={category: status_of(word) for category, word in choices.items()},
        person=fields.identity(who.get("person"), "$.identity.person"),
        device=fields.identity(who.get("device"), "$.identity.device"),
        regulation=_regulation(body.get("regulation")),
        effective_at=effective_at,
        expires_at=fields.moment(body.get("expires_at"), "$.expires_at"),
        seq=fields.sequence(body.get("seq"), "$.seq"),
        notice=fields.label(body.get("notice")),
        authenticated=body.get("authenticated") is True,
    )


def status_of(word: Any) -> Status:
    """The status a word means; any but the three words is a refusal."""
    return _STATUSES.get(word, Status.DENIED) if isinstance(word, str) else Status.DENIED


def _regulation(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        fields.refuse(InvalidReason.WRONG_TYPE, "$.regulation")
    return value
