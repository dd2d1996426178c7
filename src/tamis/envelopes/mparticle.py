"""mParticle: batches of the server API (v2) and of browsers (v3), one form.

Sources: mParticle "HTTP API" and "JSON reference". Identities, attributes and consent stand on the batch and count for
all its events; a batch without events states attributes: an identify. ``customer_id`` (servers: ``customerid``) is the
person, ``mp_deviceid`` the device, ``mpid`` mParticle's own id of either. Times are milliseconds;
``timestamp_unixtime_ms`` of the batch is when it was sent. The specification corrects no skew. ``source_message_id`` is
the event's id. ``consent_state.gdpr`` holds a choice for each purpose (only ``true`` is a yes);
``ccpa.data_sale_opt_out`` with ``consented: true`` is an opt-out.
"""

from typing import Any, Final

import msgspec

from tamis.domain.event import InlineConsent, Kind, Signal
from tamis.domain.outcome import InvalidReason
from tamis.envelopes import refusal, stamp
from tamis.envelopes.body import Body
from tamis.envelopes.draft import Draft, finish
from tamis.envelopes.envelope import Entries, Entry, Workbench
from tamis.envelopes.page import page, present
from tamis.envelopes.reading import Fields
from tamis.envelopes.vendor import each, unreadable

VENDOR: Final = "mparticle"
ATTRIBUTES_ONLY: Final = "user_attributes_only"
_MARKS: Final = frozenset(
    ("mpid", "user_identities", "user_attributes", "mp_deviceid", "source_request_id", "environment", "consent_state")
)
_TRACKS: Final = frozenset(("custom_event", "commerce_event", "media_event"))
_DEVICES: Final = ("ios_idfv", "android_uuid", "roku_publisher_id", "fire_advertising_id")
_IDENTITY_TYPES: Final = {1: "customerid", 7: "email"}


class MParticle:
    """Reads mParticle's batches."""

    __slots__ = ("_bench",)

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def claims(self, body: Body) -> bool:
        """A list ``events`` beside a field of the batch."""
        found = body.json if body.is_json else None
        return isinstance(found, dict) and isinstance(found.get("events"), list) and bool(_MARKS & found.keys())

    def read(self, body: Body) -> Entries:
        """See ``Reader.read``."""
        if not body.is_json:
            return unreadable(body)
        outer = Fields(body.json)
        common = self._common(outer)
        if outer.problem is not None:
            return outer.problem
        events = body.json.get("events")
        if events in (None, []) and outer.object("user_attributes"):
            attributes = outer.object("user_attributes")
            context = common.context | {"event_type": ATTRIBUTES_ONLY}
            draft = msgspec.structs.replace(common, kind=Kind.IDENTIFY, properties=attributes, context=context)
            return [finish(self._bench, draft, body.received_at, 0)]
        return each(self._bench, events, "$.events", lambda *item: self._event(body, common, *item))

    def _common(self, outer: Fields) -> Draft:
        consent, stated = consent_of(outer.raw("consent_state"))
        identities = identities_of(outer)
        device = outer.id("mp_deviceid")
        information = outer.object("device_info")
        return Draft(
            vendor=VENDOR,
            sent_at=outer.time(stamp.millis, "timestamp_unixtime_ms"),
            device=device if device is not None else Fields(information, "$.device_info").id(*_DEVICES),
            person=identities.id("customer_id", "customerid"),
            subject=outer.id("mpid"),
            context=present(
                mpid=outer.raw("mpid"),
                device_info=information,
                application_info=outer.object("application_info"),
                consent_state=stated,
                sdk_version=outer.raw("sdk_version"),
            ),
            consent=consent,
            id_path="$.mp_deviceid",
        )

    def _event(self, body: Body, common: Draft, item: Any, path: str, index: int) -> Entry:
        outer = Fields(item, path)
        event_type = outer.text("event_type")
        inner = Fields(outer.raw("data") or {}, f"{path}.data")
        kind, name = _kind_and_name(event_type, inner)
        attributes = inner.object("custom_attributes")
        draft = msgspec.structs.replace(
            common,
            kind=kind,
            name=name,
            event_id=inner.id("source_message_id", "event_id"),
            occurred_at=inner.time(stamp.millis, "timestamp_unixtime_ms"),
            properties=attributes,
            context=common.context
            | page(attributes.get("url") or attributes.get("page"), attributes.get("referrer"), attributes.get("title"))
            | present(
                event_type=event_type,
                custom_event_type=inner.raw("custom_event_type"),
                session_id=inner.raw("session_uuid"),
                product_action=inner.raw("product_action"),
                promotion_action=inner.raw("promotion_action"),
                currency_code=inner.raw("currency_code"),
            ),
            consent=_opted_out(common.consent) if inner.raw("is_opted_out") is True else common.consent,
            name_path=f"{path}.data.event_name",
        )
        problem = outer.problem or inner.problem
        if problem is None and event_type is None:
            return refusal.refuse(InvalidReason.MISSING_FIELD, f"{path}.event_type")
        return problem or finish(self._bench, draft, body.received_at, index)


def _kind_and_name(event_type: str | None, inner: Fields) -> tuple[Kind, str | None]:
    if event_type == "screen_view":
        return Kind.PAGE, inner.text("screen_name")
    if event_type == "commerce_event":
        for action in ("product_action", "promotion_action"):
            found = inner.object(action).get("action")
            if isinstance(found, str) and found:
                return Kind.TRACK, found
        return Kind.TRACK, "impression" if inner.raw("product_impressions") else None
    if event_type in _TRACKS:
        return Kind.TRACK, inner.text("event_name")
    return Kind.AUTO, event_type


def identities_of(outer: Fields) -> Fields:
    """The batch's identities by name; older clients list them as ``{"identity_type", "identity"}``."""
    found = outer.raw("user_identities")
    if isinstance(found, list):
        listed: dict[str, Any] = {}
        for item in found:
            if isinstance(item, dict):
                kind = item.get("identity_type")
                listed[str(_IDENTITY_TYPES.get(kind, kind) if isinstance(kind, int) else kind)] = item.get("identity")
        return Fields(listed, "$.user_identities")
    return Fields(outer.object("user_identities"), "$.user_identities")


def consent_of(state: Any) -> tuple[InlineConsent | None, Any]:
    """``consent_state`` as choices and signals, and as it stands."""
    if state is None or state == {}:
        return None, None
    if not isinstance(state, dict):
        return InlineConsent({}, malformed=True), None
    gdpr, ccpa = state.get("gdpr") or {}, state.get("ccpa") or {}
    if not isinstance(gdpr, dict) or not isinstance(ccpa, dict):
        return InlineConsent({}, malformed=True), state
    choices = {purpose: _consented(choice) is True for purpose, choice in gdpr.items()}
    sale = ccpa.get("data_sale_opt_out")
    if sale is None:
        return InlineConsent(choices), state
    opted_out = _consented(sale)
    signals = ((Signal.SALE_OPT_OUT.value, "0" if opted_out is False else "1"),)  # what is unclear is an opt-out
    return InlineConsent(choices, signals=signals), state


def _consented(choice: Any) -> Any:
    return choice.get("consented") if isinstance(choice, dict) else None


def _opted_out(consent: InlineConsent | None) -> InlineConsent:
    found = consent or InlineConsent({})
    return msgspec.structs.replace(found, signals=(*found.signals, (Signal.STATE.value, "opt_out")))
