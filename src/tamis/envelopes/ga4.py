"""Google Analytics 4, Measurement Protocol: a JSON body with several events of one client.

Source: "Measurement Protocol (Google Analytics 4)" reference. The protocol has no event id, so one is derived for each
event. ``timestamp_micros`` is microseconds (a number or digits), on the event before on the body; without it the time
of receipt counts. ``client_id`` (web) or ``app_instance_id`` (app) is the device. ``consent`` on the body counts for
all its events: ``GRANTED`` is the only yes. ``non_personalized_ads`` is the older form of a no to personalised
advertising. The protocol has no time of sending, so no skew is corrected. ``user_data`` (hashed contact data) and
``ip_override`` are never read. Hits of the browser tag: ``ga4_collect``.
"""

from typing import Any, Final

from tamis.domain.event import InlineConsent, Kind, Signal
from tamis.domain.outcome import InvalidReason
from tamis.envelopes import ga4_collect, refusal, stamp
from tamis.envelopes.body import Body
from tamis.envelopes.draft import Draft, finish
from tamis.envelopes.envelope import Entries, Entry, Workbench
from tamis.envelopes.page import page, present
from tamis.envelopes.reading import Fields
from tamis.envelopes.vendor import each, unreadable

VENDOR: Final = ga4_collect.VENDOR
_WORDS: Final = {"GRANTED": "granted", "DENIED": "denied"}


class Ga4:
    """Reads both forms of GA4."""

    __slots__ = ("_bench",)

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def claims(self, body: Body) -> bool:
        """A client id beside ``events``, or a hit of the tag."""
        if not body.is_json:
            return ga4_collect.is_hit(body)
        found = body.json
        if not isinstance(found, dict) or not isinstance(found.get("events"), list):
            return False
        return "client_id" in found or "app_instance_id" in found or body.path.endswith("/mp/collect")

    def read(self, body: Body) -> Entries:
        """See ``Reader.read``."""
        if not body.is_json:
            return ga4_collect.read(self._bench, body) if ga4_collect.is_hit(body) else unreadable(body)
        outer = Fields(body.json)
        consent, stated = consent_of(outer)
        common = Draft(
            vendor=VENDOR,
            occurred_at=outer.time(_micros, "timestamp_micros"),
            device=outer.id("client_id", "app_instance_id"),
            person=outer.id("user_id"),
            context=present(user_properties=outer.object("user_properties"), consent=stated),
            consent=consent,
            id_path="$.client_id",
        )
        if outer.problem is not None:
            return outer.problem
        return each(self._bench, outer.raw("events"), "$.events", lambda *item: self._event(body, common, *item))

    def _event(self, body: Body, common: Draft, item: Any, path: str, index: int) -> Entry:
        fields = Fields(item, path)
        name = fields.text("name")
        params = fields.object("params")
        time = fields.time(_micros, "timestamp_micros")
        draft = Draft(
            vendor=VENDOR,
            kind=ga4_collect.KINDS.get(name or "", Kind.TRACK),
            name=name,
            occurred_at=common.occurred_at if time is None else time,
            device=common.device,
            person=common.person,
            properties=params,
            context=common.context
            | page(params.get("page_location"), params.get("page_referrer"), params.get("page_title")),
            consent=common.consent,
            name_path=f"{path}.name",
            id_path=common.id_path,
        )
        if fields.problem is None and name is None:
            return refusal.refuse(InvalidReason.MISSING_FIELD, f"{path}.name")
        return fields.problem or finish(self._bench, draft, body.received_at, index)


def _micros(value: Any) -> int | None:
    return stamp.digits(value, 1) if isinstance(value, str) else stamp.number(value, 1)


def consent_of(outer: Fields) -> tuple[InlineConsent | None, dict[str, Any]]:
    """The body's consent: as choices, and in the words it is shown with."""
    found = outer.raw("consent")
    no_ads = outer.raw("non_personalized_ads") is True
    if found is None and not no_ads:
        return None, {}
    signals = ((Signal.NPA.value, "1"),) if no_ads else ()
    shown: dict[str, Any] = {"non_personalized_ads": True} if no_ads else {}
    if found is not None and not isinstance(found, dict):
        return InlineConsent({}, malformed=True, signals=signals), shown
    choices = {purpose: value == "GRANTED" for purpose, value in (found or {}).items()}
    words = {purpose: _WORDS.get(value, "unknown") if isinstance(value, str) else "unknown"
             for purpose, value in (found or {}).items()}  # fmt: skip
    return InlineConsent(choices, signals=signals), words | shown
