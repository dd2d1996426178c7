"""CloudEvents 1.0: structured, batched, and binary over Kafka (``ce_`` headers) or relayed from HTTP (``ce-``).

Sources: CloudEvents specification 1.0.2, its JSON format, HTTP and Kafka protocol bindings. ``id`` is the event's id;
``time`` (RFC 3339) when it happened; the specification has no time of sending, so no skew is corrected. Header values
that came by HTTP are percent-encoded, those of Kafka are not. The specification leaves ``data`` to the sender. Read
here: ``name``, ``user_id``, ``anonymous_id`` (or ``userId``, ``anonymousId``, ``device_id``), ``properties`` or
``traits``, ``url``, ``referrer``, ``title``, ``group_id``, ``previous_id``, and ``consent`` (category -> boolean);
without ``properties`` all else of an object counts as them. The last part of ``type`` tells the kind ("…identify"), and
is not needed. ``subject`` is no identity unless the operator says so. Data that is not JSON gives an event without
properties.
"""

from binascii import Error as Base64Error
from binascii import a2b_base64
from typing import Any, Final
from urllib.parse import unquote

from tamis.domain.event import InlineConsent, Invalid, Kind
from tamis.domain.outcome import InvalidReason
from tamis.envelopes import refusal, stamp
from tamis.envelopes.body import Body
from tamis.envelopes.draft import Draft, finish
from tamis.envelopes.embedded import parse_json
from tamis.envelopes.envelope import Entries, Entry, Workbench
from tamis.envelopes.page import page, present
from tamis.envelopes.reading import Fields
from tamis.envelopes.vendor import each, unreadable

VENDOR: Final = "cloudevents"
_KINDS: Final = {
    "page": Kind.PAGE,
    "pageview": Kind.PAGE,
    "page_view": Kind.PAGE,
    "screen": Kind.PAGE,
    "identify": Kind.IDENTIFY,
    "group": Kind.GROUP,
    "alias": Kind.ALIAS,
    "consent": Kind.CONSENT,
}
_REQUIRED: Final = ("id", "source", "type")
_PERSON: Final = ("user_id", "userId")
_DEVICE: Final = ("anonymous_id", "anonymousId", "device_id", "deviceId")
_READ: Final = frozenset(
    (*_PERSON, *_DEVICE, "name", "event", "properties", "traits", "context", "consent", "url", "referrer", "title",
     "group_id", "groupId", "previous_id", "previousId")
)  # fmt: skip
_PREFIXES: Final = ("ce_", "ce-")


class CloudEvents:
    """Reads CloudEvents."""

    __slots__ = ("_bench",)

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def claims(self, body: Body) -> bool:
        """The media type, a header of the binary mode, or ``specversion``."""
        if _is_binary(body) or body.headers.get("content-type", "").startswith("application/cloudevents"):
            return True
        found = body.json if body.is_json else None
        first = found[0] if isinstance(found, list) and found else found
        return isinstance(first, dict) and "specversion" in first

    def read(self, body: Body) -> Entries:
        """See ``Reader.read``."""
        if _is_binary(body) and not body.headers.get("content-type", "").startswith("application/cloudevents"):
            return [self._event(body, _binary(body), "$", 0)]
        if not body.is_json:
            return unreadable(body)
        if isinstance(body.json, list):
            return each(self._bench, body.json, "$", lambda *item: self._event(body, *item))
        return [self._event(body, body.json, "$", 0)]

    def _event(self, body: Body, item: Any, path: str, index: int) -> Entry:
        outer = Fields(item, path)
        attributes = {key: outer.text(key) for key in _REQUIRED}
        data = _data(outer)
        inner = Fields(data if isinstance(data, dict) else {}, f"{path}.data")
        kind = _KINDS.get((attributes["type"] or "").rpartition(".")[2].lower(), Kind.TRACK)
        consent, stated = consent_of(inner.raw("consent"))
        draft = Draft(
            vendor=VENDOR,
            kind=kind,
            name=inner.text("name", "event") or (attributes["type"] if kind is Kind.TRACK else None),
            event_id=attributes["id"],
            occurred_at=outer.time(stamp.text, "time"),
            device=inner.id(*_DEVICE),
            person=inner.id(*_PERSON),
            subject=outer.text("subject"),
            properties=_properties(inner, data),
            context=inner.object("context")
            | page(inner.raw("url"), inner.raw("referrer"), inner.raw("title"))
            | present(
                source=attributes["source"],
                type=attributes["type"],
                group_id=inner.raw("group_id") or inner.raw("groupId"),
                previous_id=inner.raw("previous_id") or inner.raw("previousId"),
                consent=stated,
            ),
            consent=consent,
            id_path=f"{path}.data.user_id",
        )
        problem = outer.problem or inner.problem or _unreadable_data(data, path)
        missing = next((key for key, value in attributes.items() if value is None), None)
        if problem is None and missing is not None:
            return refusal.refuse(InvalidReason.MISSING_FIELD, f"{path}.{missing}")
        return problem or finish(self._bench, draft, body.received_at, index)


def _is_binary(body: Body) -> bool:
    headers = body.headers
    return any(f"{prefix}specversion" in headers or f"{prefix}id" in headers for prefix in _PREFIXES)


def _binary(body: Body) -> dict[str, Any]:
    """The event of the binary mode in the form of a structured one."""
    found: dict[str, Any] = {}
    for name, value in body.headers.items():
        if name.startswith(_PREFIXES):
            found[name[3:]] = unquote(value) if name[2] == "-" else value
    if "json" in body.headers.get("content-type", "json") and body.text:
        found["data"] = body.json if body.is_json else body.refusal
    return found


def _data(outer: Fields) -> Any:
    data = outer.raw("data")
    if data is None and isinstance(outer.raw("data_base64"), str):
        if "json" not in (outer.text("datacontenttype") or "json"):
            return None
        try:
            return parse_json(a2b_base64(outer.raw("data_base64"), strict_mode=True))
        except (Base64Error, ValueError):
            return refusal.NOT_JSON
    return data


def _unreadable_data(data: Any, path: str) -> Invalid | None:
    return refusal.below(f"{path}.data", data) if isinstance(data, Invalid) else None


def _properties(inner: Fields, data: Any) -> dict[str, Any]:
    for key in ("properties", "traits"):
        if inner.raw(key) is not None:
            return inner.object(key)
    return {key: value for key, value in data.items() if key not in _READ} if isinstance(data, dict) else {}


def consent_of(found: Any) -> tuple[InlineConsent | None, Any]:
    """``data.consent`` as choices, and as it stands."""
    if found is None:
        return None, None
    if not isinstance(found, dict):
        return InlineConsent({}, malformed=True), None
    return InlineConsent({category: value is True or value == "granted" for category, value in found.items()}), found
