"""Usercentrics: the Consent Webhook (v1) and the consent object of its SDKs.

Rules: choices are per service (template or data processing service id), not per purpose: the policy names the ids it
gives a meaning. Only JSON ``true`` is a yes; essential services are true without being asked, and count as stated. The
controller id is a device's. The SDK's object has no time: its refusals hold from receipt, its grants need a dated
statement. A TC string adds categories ``tcf.<purpose>``, a US Privacy string ``us.*``. Source: Usercentrics support,
"Consent Webhook".
"""

from typing import Any

from tamis.consent_sources import fields, strings
from tamis.consent_sources.statement import Entry, Statement
from tamis.consent_sources.words import YES_NO, Choices
from tamis.domain.consent.model import Status

_ID = ("dps_id", "dpsId", "templateId", "template_id")
_STATUS = ("consent_status", "consentStatus", "status")
_NO_USP = "1---"


class Usercentrics:
    """Reads the webhook and the SDK's object."""

    id = "usercentrics"

    def claims(self, body: dict[str, Any]) -> bool:
        """Whether it names a controller and lists consents."""
        return ("controller_id" in body or "controllerId" in body) and isinstance(body.get("consents"), list)

    def read(self, body: dict[str, Any]) -> list[Entry]:
        """The one statement, or why it cannot be read."""
        return [fields.attempt(_statement, body)]


def _statement(body: dict[str, Any]) -> Statement:
    choices = Choices(YES_NO)
    for row in fields.rows(body.get("consents"), "$.consents"):
        service = next((row[key] for key in _ID if key in row), None)
        choices.add(
            fields.name(service, "$.consents.templateId"), next((row[key] for key in _STATUS if key in row), None)
        )
    return Statement(
        source=Usercentrics.id,
        choices=choices.found,
        of_strings=_of_strings(body),
        unclear=frozenset(choices.unclear),
        device=fields.identity(body.get("controller_id") or body.get("controllerId"), "$.controllerId"),
        effective_at=fields.epoch(body.get("timestamp"), "$.timestamp"),
    )


def _of_strings(body: dict[str, Any]) -> dict[str, Status]:
    tcf, usp = body.get("consent_string") or body.get("tcString"), body.get("uspString")
    found = strings.of_tcf(tcf) if isinstance(tcf, str) and tcf else {}
    return found | (strings.of_usp(usp) if isinstance(usp, str) and usp not in {"", _NO_USP} else {})
