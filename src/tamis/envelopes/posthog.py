"""PostHog: single events, ``batch`` bodies, lists, and the forms of older browser clients (base64 in ``data``).

Sources: PostHog "Capture API" and the bodies of its SDKs. ``timestamp`` is RFC 3339, without a zone UTC; without it
``offset`` is milliseconds before ``sent_at``. PostHog corrects the time of an event by ``sent_at`` and its own time of
receipt, so skew is corrected here (``draft``). ``uuid`` is the event's id. Server clients send one ``distinct_id`` that
nothing tells to be a person's or a device's: it is a ``subject``. Browsers and apps tell: ``$device_id`` is the device,
``$user_id`` the person, ``$is_identified`` says which the ``distinct_id`` is, and an ``$identify`` names both.
Properties of an identify are ``$set`` over ``$set_once``, of a group ``$group_set``. PostHog states no consent.
Ids and tokens are taken out of the properties.
"""

from typing import Any, Final

import msgspec

from tamis.domain.event import Invalid, Kind
from tamis.domain.outcome import InvalidReason
from tamis.envelopes import refusal, stamp
from tamis.envelopes.body import Body
from tamis.envelopes.draft import Draft, finish
from tamis.envelopes.envelope import Entries, Entry, Workbench
from tamis.envelopes.page import page, present
from tamis.envelopes.reading import Fields, Id
from tamis.envelopes.vendor import each, unreadable

VENDOR: Final = "posthog"
_KINDS: Final = {
    "$pageview": Kind.PAGE,
    "$screen": Kind.PAGE,
    "$identify": Kind.IDENTIFY,
    "$set": Kind.IDENTIFY,
    "$groupidentify": Kind.GROUP,
    "$create_alias": Kind.ALIAS,
    "$merge_dangerously": Kind.ALIAS,
    "$autocapture": Kind.AUTO,
    "$pageleave": Kind.AUTO,
    "$rageclick": Kind.AUTO,
    "$dead_click": Kind.AUTO,
    "$web_vitals": Kind.AUTO,
    "$feature_flag_called": Kind.AUTO,
    "$snapshot": Kind.AUTO,
}
_TAKEN: Final = frozenset(
    ("token", "api_key", "distinct_id", "$device_id", "$user_id", "$anon_distinct_id", "alias", "$set", "$set_once")
)
_MARKS: Final = ("api_key", "token", "uuid", "distinct_id", "$distinct_id", "timestamp", "offset", "$set", "$set_once")


class PostHog:
    """Reads PostHog's bodies."""

    __slots__ = ("_bench",)

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def claims(self, body: Body) -> bool:
        """Events with a ``distinct_id`` and a mark of PostHog's: its key, id, time or library."""
        found = _content(body)
        batch = found.get("batch") if isinstance(found, dict) else None
        items = batch if isinstance(batch, list) else found if isinstance(found, list) else [found]
        keyed = isinstance(found, dict) and ("api_key" in found or "token" in found)
        return (keyed and isinstance(batch, list)) or any(map(_is_event, items[:8]))

    def read(self, body: Body) -> Entries:
        """See ``Reader.read``."""
        found = _content(body)
        if isinstance(found, Invalid):
            return found
        query_time = stamp.digits(body.query.get("_"), stamp.MILLISECOND)
        if isinstance(found, list):
            return each(self._bench, found, "$", lambda *item: self._event(body, query_time, *item))
        outer = Fields(found)
        if outer.problem is not None:
            return outer.problem
        sent_at = outer.hint(stamp.utc_text, "sent_at")
        if "batch" in found:
            return each(self._bench, found["batch"], "$.batch", lambda *item: self._event(body, sent_at, *item))
        return [self._event(body, query_time if sent_at is None else sent_at, found, "$", 0)]

    def _event(self, body: Body, sent_at: int | None, item: Any, path: str, index: int) -> Entry:
        outer = Fields(item, path)
        name = outer.text("event")
        properties = outer.object("properties")
        kind = _KINDS.get(name or "", Kind.TRACK)
        inner = Fields(properties, f"{path}.properties")
        subject = outer.id("distinct_id", "$distinct_id") or inner.id("distinct_id")
        device, person = _who(name, subject, inner)
        stated = _stated(outer, inner, kind)
        draft = Draft(
            vendor=VENDOR,
            kind=kind,
            name=name,
            event_id=outer.id("uuid"),
            occurred_at=_occurred_at(outer, sent_at),
            sent_at=sent_at,
            device=device,
            person=person,
            subject=subject,
            properties=stated if stated is not None else _without_ids(properties),
            context=_context(properties, stated),
            skewed=True,
            id_path=f"{path}.distinct_id",
        )
        problem = outer.problem or inner.problem
        if problem is None and name is None:
            return refusal.refuse(InvalidReason.MISSING_FIELD, f"{path}.event")
        return problem or finish(self._bench, draft, body.received_at, index)


def _content(body: Body) -> Any:
    if body.is_json:
        found = body.json
        inner = found.get("data") if isinstance(found, dict) and "event" not in found else None
        return inner if isinstance(inner, dict | list) else found
    return unreadable(body) if body.data is msgspec.UNSET else body.data


def _is_event(item: Any) -> bool:
    if not isinstance(item, dict) or not isinstance(item.get("event"), str):
        return False
    properties = item.get("properties")
    inner = properties if isinstance(properties, dict) else {}
    if any(mark in item for mark in _MARKS):
        return "distinct_id" in item or "$distinct_id" in item or "distinct_id" in inner
    return "$lib" in inner and "distinct_id" in inner


def _who(name: str | None, distinct: Id | None, inner: Fields) -> tuple[Id | None, Id | None]:
    """Device and person, where the event tells."""
    device = inner.id("$device_id")
    person = inner.id("$user_id")
    if name == "$identify":
        return device or inner.id("$anon_distinct_id"), person or distinct
    identified = inner.raw("$is_identified")
    if identified is True and person is None and distinct != device:
        person = distinct
    if identified is False and device is None:
        device = distinct
    return device, person


def _stated(outer: Fields, inner: Fields, kind: Kind) -> dict[str, Any] | None:
    """What an identify or group says of its subject; None for other kinds."""
    if kind is Kind.GROUP:
        return inner.object("$group_set")
    if kind is Kind.IDENTIFY:
        found: dict[str, Any] = {}
        for operation in ("$set_once", "$set"):
            found |= inner.object(operation) | outer.object(operation)
        return found
    return None


def _occurred_at(outer: Fields, sent_at: int | None) -> int | None:
    found = outer.time(stamp.utc_text, "timestamp")
    if found is None and sent_at is not None:
        offset = outer.hint(stamp.millis, "offset")
        return None if offset is None else max(0, sent_at - offset)
    return found


def _without_ids(properties: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in properties.items() if key not in _TAKEN}


def _context(properties: dict[str, Any], stated: dict[str, Any] | None) -> dict[str, Any]:
    where = page(
        properties.get("$current_url"), properties.get("$referrer"), properties.get("title"),
        properties.get("$pathname"),
    )  # fmt: skip
    facts = present(
        group_id=properties.get("$group_key"),
        group_type=properties.get("$group_type"),
        groups=properties.get("$groups"),
        alias=properties.get("alias"),
        session_id=properties.get("$session_id"),
        library=properties.get("$lib"),
    )
    return where | facts | (present(properties=_without_ids(properties)) if stated is not None else {})
