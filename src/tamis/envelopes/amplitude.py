"""Amplitude: HTTP V2 and batch bodies, the Identify and Group Identify forms, and the older ``event``/``e`` forms.

Sources: Amplitude "HTTP V2 API", "Batch Event Upload API", "Identify API", "Group Identify API", "HTTP API
(deprecated)". ``time`` is milliseconds; without it the time of receipt counts. ``client_upload_time`` (text or
milliseconds) is when the client sent the body; Amplitude corrects the time of the event by it and its own time of
receipt, so skew is corrected here (``draft``). ``insert_id`` is the event's id (``event_id`` is a counter of the
client). ``$identify`` and ``$groupidentify`` are events: their properties are what ``$set`` and ``$setOnce`` state,
other operations under their own names. Consent has no field of its own; what a site keeps in user properties is not
read as consent.
"""

from typing import Any, Final

from tamis.domain.event import Invalid, Kind
from tamis.domain.outcome import InvalidReason
from tamis.envelopes import refusal, stamp
from tamis.envelopes.body import Body
from tamis.envelopes.draft import Draft, finish
from tamis.envelopes.embedded import parse_json
from tamis.envelopes.envelope import Entries, Entry, Workbench
from tamis.envelopes.page import page, present
from tamis.envelopes.reading import Fields
from tamis.envelopes.vendor import each, unreadable

VENDOR: Final = "amplitude"
_KINDS: Final = {
    "$identify": Kind.IDENTIFY,
    "$groupidentify": Kind.GROUP,
    "[Amplitude] Page Viewed": Kind.PAGE,
    "[Amplitude] Screen Viewed": Kind.PAGE,
    "session_start": Kind.AUTO,
    "session_end": Kind.AUTO,
}
_CONTEXT: Final = (
    "session_id", "platform", "app_version", "version_name", "os_name", "os_version", "device_brand", "device_model",
    "country", "region", "city", "language", "library", "plan", "partner_id", "ingestion_metadata",
)  # fmt: skip
_REVENUE: Final = ("price", "quantity", "revenue", "productId", "revenueType", "currency")
_FORM_EVENTS: Final = {"event": "$.event", "e": "$.e", "identification": "$.identification"}


class Amplitude:
    """Reads Amplitude's bodies."""

    __slots__ = ("_bench",)

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def claims(self, body: Body) -> bool:
        """A key of the project beside events with an ``event_type``, or one of the forms."""
        if body.is_json:
            return _is_upload(body.json)
        form = body.form
        return ("api_key" in form and ("event" in form or "identification" in form)) or {"client", "e"} <= form.keys()

    def read(self, body: Body) -> Entries:
        """See ``Reader.read``."""
        if body.is_json:
            outer = Fields(body.json)
            if outer.problem is not None:
                return outer.problem
            sent_at = outer.hint(_uploaded, "client_upload_time")
            return each(
                self._bench, body.json.get("events"), "$.events", lambda *item: self._event(body, sent_at, *item)
            )
        for field, path in _FORM_EVENTS.items():
            if field in body.form:
                return self._form(body, field, path)
        return unreadable(body)

    def _form(self, body: Body, field: str, path: str) -> Entries:
        found = parse_json(body.form[field])
        if isinstance(found, Invalid):
            return refusal.below(path, found)
        sent_at = stamp.digits(body.form.get("upload_time"), stamp.MILLISECOND)
        items = found if isinstance(found, list) else [found]
        identifies = field == "identification"
        return each(
            self._bench,
            [_as_event(item) if identifies else item for item in items],
            path,
            lambda *item: self._event(body, sent_at, *item),
        )

    def _event(self, body: Body, sent_at: int | None, item: Any, path: str, index: int) -> Entry:
        fields = Fields(item, path)
        name = fields.text("event_type")
        kind = _KINDS.get(name or "", Kind.TRACK)
        properties = _properties(fields, kind)
        draft = Draft(
            vendor=VENDOR,
            kind=kind,
            name=name,
            event_id=fields.id("insert_id", "uuid"),
            occurred_at=fields.time(stamp.seconds_or_millis, "time", "timestamp"),
            sent_at=sent_at,
            device=fields.id("device_id"),
            person=fields.id("user_id"),
            properties=properties,
            context=_context(fields, kind),
            skewed=True,
            name_path=f"{path}.event_type",
            id_path=f"{path}.device_id",
        )
        if fields.problem is None and name is None:
            return refusal.refuse(InvalidReason.MISSING_FIELD, f"{path}.event_type")
        return fields.problem or finish(self._bench, draft, body.received_at, index)


def _is_upload(found: Any) -> bool:
    events = found.get("events") if isinstance(found, dict) else None
    if not isinstance(events, list) or "client_id" in found or "app_instance_id" in found:
        return False
    first = events[0] if events else None
    typed = isinstance(first, dict) and "event_type" in first and "data" not in first
    return typed or ("api_key" in found and not (isinstance(first, dict) and "data" in first))


def _uploaded(value: Any) -> int | None:
    return stamp.utc_text(value) if isinstance(value, str) else stamp.millis(value)


def _as_event(item: Any) -> Any:
    """An item of the identify forms in the form of an event."""
    if not isinstance(item, dict):
        return item
    if "group_type" in item:
        groups = {str(item["group_type"]): item.get("group_value")}
        return item | {"event_type": "$groupidentify", "groups": groups}
    return {"event_type": "$identify"} | item


def _properties(fields: Fields, kind: Kind) -> dict[str, Any]:
    if kind is Kind.IDENTIFY:
        return stated(fields.object("user_properties"))
    if kind is Kind.GROUP:
        return stated(fields.object("group_properties"))
    revenue = {key: fields.raw(key) for key in _REVENUE if fields.raw(key) is not None}
    return revenue | fields.object("event_properties")


def stated(operations: dict[str, Any]) -> dict[str, Any]:
    """User properties as they stand after ``$set`` and ``$setOnce``; other operations keep their names."""
    found: dict[str, Any] = {}
    for operation, value in sorted(operations.items(), key=lambda pair: pair[0] == "$set"):
        if operation in ("$set", "$setOnce") and isinstance(value, dict):
            found |= value
        else:
            found[operation] = value
    return found


def _context(fields: Fields, kind: Kind) -> dict[str, Any]:
    properties = fields.object("event_properties")
    where = page(
        properties.get("[Amplitude] Page URL") or properties.get("[Amplitude] Page Location"),
        properties.get("referrer"),
        properties.get("[Amplitude] Page Title"),
        properties.get("[Amplitude] Page Path"),
    )
    groups = fields.object("groups")
    group_id = next(iter(groups.values()), None) if kind is Kind.GROUP else None
    about = {} if kind is Kind.IDENTIFY else fields.object("user_properties")
    facts = {key: fields.raw(key) for key in _CONTEXT if fields.raw(key) is not None}
    return facts | where | present(groups=groups, group_id=group_id, user_properties=about)
