"""Fides: pages of historical privacy preferences, current preferences, and the body that saves preferences.

Rules: "opt_in" is a yes, "opt_out" a no; "acknowledge", "tcf" and any other word are unclear. The category is the
notice's name in a history page and its key elsewhere; a TCF entry gives its consent purposes by number. Times have
microseconds. Current preferences name neither person nor time: both come from whoever asked, so they state nothing that
could be recorded. Source: ethyca/fides, API models of privacy preferences.
"""

from datetime import datetime
from typing import Any

from tamis.consent_sources import fields
from tamis.consent_sources.statement import Entry, Statement
from tamis.consent_sources.words import Choices
from tamis.domain.consent.model import Status

_WORDS = {"opt_in": Status.GRANTED, "opt_out": Status.DENIED}
_NOTICE_KEYS = ("notice_key", "notice_name", "privacy_notice_history_id")
_MICROS = 1_000_000


class Fides:
    """Reads history pages, current preferences and saved ones."""

    id = "fides"

    def claims(self, body: dict[str, Any]) -> bool:
        """Whether it is a page of preferences, or preferences with notices."""
        rows = body.get("items")
        if isinstance(rows, list):
            return all(isinstance(row, dict) and "preference" in row and "request_timestamp" in row for row in rows)
        saved = body.get("preferences")
        return isinstance(saved, list) and ("browser_identity" in body or "purpose_consent_preferences" in body)

    def read(self, body: dict[str, Any]) -> list[Entry]:
        """A statement for each row, or for the preferences as a whole."""
        if "items" not in body:
            return [fields.attempt(_preferences, body)]
        try:
            return [fields.attempt(_row, row) for row in fields.rows(body["items"], "$.items")]
        except fields.Refused as refused:
            return [refused.why]


def _row(row: dict[str, Any]) -> Statement:
    choices, tcf = Choices(_WORDS), row.get("tcf_preferences")
    if isinstance(tcf, dict):
        path = "$.items.tcf_preferences.purpose_consent_preferences"
        for each in fields.rows(tcf.get("purpose_consent_preferences"), path):
            choices.add(fields.name(each.get("id"), f"{path}.id"), each.get("preference"))
    else:
        choices.add(fields.name(row.get("notice_name"), "$.items.notice_name"), row.get("preference"))
    stamp = row.get("request_timestamp")
    return Statement(
        source=Fides.id,
        choices=choices.found,
        unclear=frozenset(choices.unclear),
        person=fields.identity(row.get("email") or row.get("external_id"), "$.items.email"),
        device=fields.identity(row.get("fides_user_device_id"), "$.items.fides_user_device_id"),
        effective_at=fields.moment(stamp, "$.items.request_timestamp"),
        micros=_micros(stamp),
        event_id=fields.label(row.get("id")),
        jurisdiction=fields.label(row.get("user_geography")),
        notice=row["notice_name"] if isinstance(row.get("notice_name"), str) else None,
        preference=fields.label(row.get("preference")),
    )


def _preferences(body: dict[str, Any]) -> Statement:
    choices = Choices(_WORDS)
    for row in fields.rows(body.get("preferences"), "$.preferences"):
        notice = next((row[key] for key in _NOTICE_KEYS if row.get(key)), None)
        choices.add(fields.name(notice, "$.preferences.notice_key"), row.get("preference"))
    for row in fields.rows(body.get("purpose_consent_preferences"), "$.purpose_consent_preferences"):
        choices.add(fields.name(row.get("id"), "$.purpose_consent_preferences.id"), row.get("preference"))
    found = body.get("browser_identity")
    who: dict[str, Any] = found if isinstance(found, dict) else {}
    return Statement(
        source=Fides.id,
        choices=choices.found,
        unclear=frozenset(choices.unclear),
        person=fields.identity(who.get("email") or who.get("external_id"), "$.browser_identity.email"),
        device=fields.identity(who.get("fides_user_device_id"), "$.browser_identity.fides_user_device_id"),
        jurisdiction=fields.label(body.get("user_geography")),
    )


def _micros(stamp: Any) -> int | None:
    """Microseconds since the epoch; ``stamp`` was read as a moment before."""
    if not isinstance(stamp, str):
        return None
    at = datetime.fromisoformat(stamp)
    return int(at.replace(microsecond=0).timestamp()) * _MICROS + at.microsecond
