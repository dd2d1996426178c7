"""Snowplow: the tracker protocol (self-describing JSON in a POST, a query in a GET) and enriched events.

Sources: Snowplow "Tracker protocol", "Event parameters", "Self-describing JSON schemas", "Consent events". All values
of the protocol are texts. ``eid`` is the event's id. ``ttm`` (true time), else ``dtm`` (device created), is when it
happened, in milliseconds as text; ``stm`` is when it was sent. Snowplow corrects ``dtm`` by ``stm`` and the collector's
time, but never ``ttm``; so it is here (``draft``). ``uid`` is the person; the device is ``duid``, else
``nuid``/``tnuid``. A self-describing event (``ue_pr``, or base64url ``ue_px``) is named by its schema; entities
(``co``/``cx``) stand in the context by schema. Consent events are of kind consent: scopes are granted by ``allow_all``
and ``allow_selected`` only. Enriched rows: ``snowplow_enriched``.
"""

from typing import Any, Final

from tamis.domain.event import Invalid, Kind
from tamis.domain.outcome import InvalidReason
from tamis.envelopes import refusal, snowplow_enriched, stamp
from tamis.envelopes.body import Body
from tamis.envelopes.draft import Draft, finish
from tamis.envelopes.embedded import open_data
from tamis.envelopes.envelope import Entries, Entry, Workbench
from tamis.envelopes.page import page, present
from tamis.envelopes.reading import Fields
from tamis.envelopes.self_describing import VENDOR, Described, consent_of, described, entities, kind_of
from tamis.envelopes.vendor import each, unreadable

_PAYLOAD: Final = "iglu:com.snowplowanalytics.snowplow/payload_data/"
_STANDARD: Final = {
    "pv": (Kind.PAGE, "page_view"),
    "pp": (Kind.AUTO, "page_ping"),
    "tr": (Kind.TRACK, "transaction"),
    "ti": (Kind.TRACK, "transaction_item"),
}
_STRUCTURED: Final = ("se_ca", "se_la", "se_pr", "se_va")
_PAGE: Final = {"page": "page_title", "url": "page_url", "refr": "page_referrer"}
_PREFIXES: Final = {"pp": "pp_", "tr": "tr_", "ti": "ti_"}
_CONTEXT: Final = {
    "aid": "app_id", "p": "platform", "tna": "name_tracker", "tv": "v_tracker", "sid": "session_id", "lang": "language",
    "tz": "timezone", "ua": "useragent",
}  # fmt: skip
_EVENTS: Final = frozenset(("pv", "pp", "se", "ue", "tr", "ti"))


class Snowplow:
    """Reads Snowplow's bodies."""

    __slots__ = ("_bench",)

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def claims(self, body: Body) -> bool:
        """The schema of a payload, a query with ``e`` and a tracker, or the columns of an enriched event."""
        if body.is_json:
            schema = body.json.get("schema") if isinstance(body.json, dict) else None
            return isinstance(schema, str) and schema.startswith(_PAYLOAD)
        return any(map(_is_hit, (body.query, body.form))) or snowplow_enriched.is_row(body.text)

    def read(self, body: Body) -> Entries:
        """See ``Reader.read``."""
        if body.is_json:
            outer = Fields(body.json)
            return outer.problem or each(
                self._bench, outer.raw("data"), "$.data", lambda *item: self._event(body, *item)
            )
        for place in (body.form, body.query):
            if _is_hit(place):
                return [self._event(body, dict(place), "$", 0)]
        if "\t" in body.text:
            return [snowplow_enriched.read(self._bench, body)]
        return unreadable(body)

    def _event(self, body: Body, item: Any, path: str, index: int) -> Entry:
        fields = Fields(item, path)
        code = fields.text("e")
        found = _described(fields, "ue_pr", "ue_px")
        contexts = _described(fields, "co", "cx")
        for key, part in (("ue_pr", found), ("co", contexts)):
            if isinstance(part, Invalid):
                return refusal.below(f"{path}.{key}", part)
        assert not isinstance(found, Invalid)
        kind, name, properties = _what(code, fields, described(found))
        consent, stated = consent_of(described(found))
        true_time = fields.time(_millis, "ttm")
        draft = Draft(
            vendor=VENDOR,
            kind=kind,
            name=name,
            event_id=fields.id("eid"),
            occurred_at=fields.time(_millis, "dtm") if true_time is None else true_time,
            sent_at=fields.hint(_millis, "stm"),
            device=fields.id("duid", "nuid", "tnuid"),
            person=fields.id("uid"),
            properties=properties,
            context=page(fields.raw("url"), fields.raw("refr"), fields.raw("page"))
            | present(**{name: fields.raw(key) for key, name in _CONTEXT.items()})
            | present(schema=described(found).schema, consent=stated)
            | entities(contexts),
            consent=consent,
            skewed=true_time is None,
            name_path=f"{path}.se_ac" if code == "se" else f"{path}.ue_pr",
            id_path=f"{path}.duid",
        )
        if fields.problem is None and code not in _EVENTS:
            reason = InvalidReason.MISSING_FIELD if code is None else InvalidReason.UNKNOWN_ENVELOPE
            return refusal.refuse(reason, f"{path}.e")
        return fields.problem or finish(self._bench, draft, body.received_at, index)


def _is_hit(place: Any) -> bool:
    return place.get("e") in _EVENTS and ("tv" in place or "p" in place or "eid" in place)


def _millis(value: Any) -> int | None:
    return stamp.digits(value, stamp.MILLISECOND) if isinstance(value, str) else stamp.millis(value)


def _described(fields: Fields, plain: str, encoded: str) -> Any:
    """The JSON in a text field, or in its base64url twin; None when neither is there."""
    text = fields.text(plain, encoded)
    return None if text is None else open_data(text)


def _what(code: str | None, fields: Fields, found: Described) -> tuple[Kind, str | None, dict[str, Any]]:
    """Kind, name and properties."""
    if code == "ue":
        return kind_of(found.name), found.name, found.content
    if code == "se":
        structured = {key: fields.raw(key) for key in _STRUCTURED if fields.raw(key) is not None}
        return Kind.TRACK, fields.text("se_ac"), structured
    kind, name = _STANDARD.get(code or "", (Kind.TRACK, None))
    pages = {name: fields.raw(key) for key, name in _PAGE.items() if fields.raw(key) is not None}
    prefix = _PREFIXES.get(code or "")
    return kind, name, pages | (fields.starting(prefix) if prefix else {})
