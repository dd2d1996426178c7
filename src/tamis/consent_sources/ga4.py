"""GA4: ``consent`` of a Measurement Protocol body.

Rules: "GRANTED" is a yes, "DENIED" a no, anything else unclear. Categories are Google's own (``ad_user_data``,
``ad_personalization``); the time is the request's. Source: Google Analytics Measurement Protocol, "Consent".
Not handled here: ``gcs`` and ``gcd`` (``consent_sources.signals``; in events, the envelope).
"""

from typing import Any

from tamis.consent_sources import fields
from tamis.consent_sources.statement import Entry, Statement
from tamis.consent_sources.words import Choices
from tamis.domain.consent.model import Status

_WORDS = {"granted": Status.GRANTED, "denied": Status.DENIED}
_MICROS_IN_MS = 1_000


class Ga4:
    """Reads Measurement Protocol bodies."""

    id = "ga4"

    def claims(self, body: dict[str, Any]) -> bool:
        """Whether there is a client or app instance and consent."""
        return ("client_id" in body or "app_instance_id" in body) and "consent" in body

    def read(self, body: dict[str, Any]) -> list[Entry]:
        """The one statement, or why it cannot be read."""
        return [fields.attempt(_statement, body)]


def _statement(body: dict[str, Any]) -> Statement:
    consent = fields.table(body.get("consent"), "$.consent")
    choices = Choices(_WORDS).add_all(consent.items())
    micros = body.get("timestamp_micros")
    number = int(micros) if isinstance(micros, str) and micros.isascii() and micros.isdigit() else micros
    at = number // _MICROS_IN_MS if isinstance(number, int) and not isinstance(number, bool) else number
    return Statement(
        source=Ga4.id,
        choices=choices.found,
        unclear=frozenset(choices.unclear),
        person=fields.identity(body.get("user_id"), "$.user_id"),
        device=fields.identity(body.get("client_id") or body.get("app_instance_id"), "$.client_id"),
        effective_at=fields.moment(at, "$.timestamp_micros"),
    )
