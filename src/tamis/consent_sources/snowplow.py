"""Snowplow: the self-describing event ``consent_preferences``, alone or in a tracker's payload.

Rules: ``allow_all`` and ``allow_selected`` grant the scopes they list; ``deny_all``, ``withdrawn``, ``expired`` and any
other event type refuse them, and refuse everything; what an ``allow_selected`` does not list is refused. A basis other
than "consent" grants nothing. Times are the tracker's (``ttm``, else ``dtm``), milliseconds as text.
Source: Snowplow docs, "Enhanced Consent". Not handled here: GET requests and base64 fields (the envelope reads those).
"""

from typing import Any

import orjson

from tamis.consent_sources import fields
from tamis.consent_sources.statement import Entry, Statement
from tamis.domain.consent.model import Status
from tamis.domain.outcome import InvalidReason

_SCHEMA = "iglu:com.snowplowanalytics.snowplow/consent_preferences/"
_PAYLOAD = "iglu:com.snowplowanalytics.snowplow/payload_data/"
_ALLOWED = frozenset({"allow_all", "allow_selected"})
_WITHDRAWN = frozenset({"withdrawn", "expired"})


class Snowplow:
    """Reads the event and payloads that hold it."""

    id = "snowplow"

    def claims(self, body: dict[str, Any]) -> bool:
        """Whether its schema is the event's or a payload's."""
        schema = body.get("schema")
        return isinstance(schema, str) and schema.startswith((_SCHEMA, _PAYLOAD))

    def read(self, body: dict[str, Any]) -> list[Entry]:
        """A statement for each consent event."""
        if body["schema"].startswith(_SCHEMA):
            return [fields.attempt(lambda data: _statement(data, {}), body.get("data"), "$.data")]
        try:
            rows = fields.rows(body.get("data"), "$.data")
        except fields.Refused as refused:
            return [refused.why]
        return [entry for row in rows for entry in _of_row(row)]


def _of_row(row: dict[str, Any]) -> list[Entry]:
    text = row.get("ue_pr")
    try:
        outer = orjson.loads(text) if isinstance(text, str) else {}
    except orjson.JSONDecodeError:
        return [fields.attempt(_unreadable, {})]
    inner = outer.get("data") if isinstance(outer, dict) else None
    if not isinstance(inner, dict) or not str(inner.get("schema", "")).startswith(_SCHEMA):
        return []
    return [fields.attempt(lambda data: _statement(data, row), inner.get("data"), "$.data.ue_pr.data.data")]


def _unreadable(_: dict[str, Any]) -> Statement:
    fields.refuse(InvalidReason.NOT_JSON, "$.data.ue_pr")


def _statement(data: dict[str, Any], row: dict[str, Any]) -> Statement:
    scopes = data.get("consentScopes")
    if not isinstance(scopes, list):
        fields.refuse(InvalidReason.WRONG_TYPE, "$.data.consentScopes")
    kind = data.get("eventType")
    allowed = kind in _ALLOWED and data.get("basisForProcessing") == "consent"
    status = Status.GRANTED if allowed else Status.WITHDRAWN if kind in _WITHDRAWN else Status.DENIED
    return Statement(
        source=Snowplow.id,
        choices={fields.name(scope, "$.data.consentScopes"): status for scope in scopes},
        person=fields.identity(row.get("uid"), "$.data.uid"),
        device=fields.identity(row.get("duid") or row.get("nuid"), "$.data.duid"),
        effective_at=fields.epoch(row.get("ttm") or row.get("dtm"), "$.data.dtm"),
        event_id=fields.label(row.get("eid")),
        notice=fields.label(data.get("consentVersion")),
        preference=fields.label(kind),
        complete=kind != "allow_all",
    )
