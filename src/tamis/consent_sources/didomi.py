"""Didomi: consent events of its webhooks (``event.created``, ``event.updated``, ``event.deleted``).

Rules: ``enabled: true`` is a yes, ``false`` a no, ``null`` or anything else unclear; an event is a partial update, so
purposes it does not list keep their state; a deleted event takes back what it had granted (unclear, from receipt: no
time of deletion is given). Choices for vendors are kept apart. An event of one regulation says nothing under another.
A TC string (``tcfcs``) adds categories ``tcf.<purpose>``. Source: Didomi developers, "Webhooks".
"""

from typing import Any

from tamis.consent_sources import fields, strings
from tamis.consent_sources.statement import Entry, Statement
from tamis.consent_sources.words import YES_NO, Choices

_TYPES = frozenset({"event.created", "event.updated", "event.deleted"})
_DELETED = "event.deleted"


class Didomi:
    """Reads consent events."""

    id = "didomi"

    def claims(self, body: dict[str, Any]) -> bool:
        """Whether ``type`` says so and there is an entity."""
        parameters = body.get("parameters")
        kind = body.get("type")
        return isinstance(kind, str) and kind in _TYPES and isinstance(parameters, dict) and "entity" in parameters

    def read(self, body: dict[str, Any]) -> list[Entry]:
        """The one statement, or why it cannot be read."""
        return [fields.attempt(_statement, body)]


def _statement(body: dict[str, Any]) -> Statement:
    entity = fields.table(body["parameters"].get("entity"), "$.parameters.entity")
    user = fields.table(entity.get("user"), "$.parameters.entity.user")
    consents = fields.table(entity.get("consents"), "$.parameters.entity.consents")
    deleted = body["type"] == _DELETED
    choices = _choices(consents, "purposes", deleted=deleted)
    tcf = consents.get("tcfcs")
    return Statement(
        source=Didomi.id,
        choices=choices.found,
        of_strings=strings.of_tcf(tcf) if isinstance(tcf, str) and tcf and not deleted else {},
        unclear=frozenset(choices.unclear),
        vendors=_choices(consents, "vendors", deleted=deleted).found,
        person=fields.identity(user.get("organization_user_id"), "$.parameters.entity.user.organization_user_id"),
        device=fields.identity(user.get("id"), "$.parameters.entity.user.id"),
        regulation=fields.label(entity.get("regulation") or body.get("regulation")),
        jurisdiction=fields.label(user.get("country")),
        effective_at=None if deleted else fields.moment(entity.get("created_at"), "$.parameters.entity.created_at"),
        event_id=fields.label(entity.get("id")),
    )


def _choices(consents: dict[str, Any], field: str, *, deleted: bool) -> Choices:
    path = f"$.parameters.entity.consents.{field}"
    return Choices(YES_NO).add_all(
        (fields.name(row.get("id"), f"{path}.id"), None if deleted else row.get("enabled"))
        for row in fields.rows(consents.get(field), path)
    )
