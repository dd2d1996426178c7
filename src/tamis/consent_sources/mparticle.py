"""mParticle: ``consent_state`` of a batch.

Rules: under ``gdpr`` only ``consented: true`` is a yes; under ``ccpa`` ``data_sale_opt_out`` with ``consented: true``
means opted **out**: a refusal of ``data_sale_opt_out``, and false no refusal. Each choice has its own time, so choices
of one time make one statement. Sources: mParticle SDKs, docs "Consent state".
"""

from typing import Any

from tamis.consent_sources import fields
from tamis.consent_sources.statement import Entry, Statement
from tamis.consent_sources.words import YES_NO, Choices

SALE = "data_sale_opt_out"
_PERSONS = ("customerid", "customer_id", "email")


class MParticle:
    """Reads batches."""

    id = "mparticle"

    def claims(self, body: dict[str, Any]) -> bool:
        """Whether there is a consent state."""
        return isinstance(body.get("consent_state"), dict)

    def read(self, body: dict[str, Any]) -> list[Entry]:
        """A statement for each regulation and time of choice."""
        try:
            return list(_statements(body))
        except fields.Refused as refused:
            return [refused.why]


def _statements(body: dict[str, Any]) -> list[Entry]:
    state, found = body["consent_state"], body.get("user_identities")
    identities: dict[str, Any] = found if isinstance(found, dict) else {}
    known = next((identities[key] for key in _PERSONS if identities.get(key)), None)
    person = fields.identity(known, "$.user_identities")
    device = fields.identity(body.get("mp_deviceid") or None, "$.mp_deviceid")
    grouped: dict[tuple[str, int | None, str | None], Choices] = {}
    for regulation in ("gdpr", "ccpa"):
        for purpose, said in fields.table(state.get(regulation) or {}, f"$.consent_state.{regulation}").items():
            row = fields.table(said, f"$.consent_state.{regulation}")
            at = fields.moment(row.get("timestamp_unixtime_ms"), f"$.consent_state.{regulation}.timestamp_unixtime_ms")
            word = row.get("consented")
            if regulation == "ccpa":
                word = not word if isinstance(word, bool) else None
            key = regulation, at, fields.label(row.get("document"))
            grouped.setdefault(key, Choices(YES_NO)).add(purpose, word)
    return [
        Statement(
            source=MParticle.id, choices=choices.found, unclear=frozenset(choices.unclear), person=person,
            device=device, regulation=regulation, effective_at=at, notice=document,
        )
        for (regulation, at, document), choices in grouped.items()
    ]  # fmt: skip
