"""Mixpanel: ``/track``, ``/import``, ``/engage`` and ``/groups``, as JSON, as a form, or in the query of a GET.

Sources: Mixpanel "Ingestion API" (Track Events, Import Events, User and Group Profiles), "Identity Management". The
form field ``data`` holds JSON or base64 of JSON; a GET has it in the query of the address (header ``endpoint``).
``properties.time`` is seconds or milliseconds, told apart by size; profile updates have ``$time`` in seconds.
``$insert_id`` is the event's id; profile updates have none. ``$device_id`` is the device, ``$user_id`` the person;
``$device:<id>`` as ``distinct_id`` is a device too. A ``distinct_id`` without that mark is a person on a profile update
(profiles are people's) and of unknown type on an event. Mixpanel's specification corrects no skew. No consent is
stated. Ids, tokens and the time are taken out of the properties.
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

VENDOR: Final = "mixpanel"
_DEVICE_MARK: Final = "$device:"
_KINDS: Final = {
    "$mp_web_page_view": Kind.PAGE,
    "$identify": Kind.IDENTIFY,
    "$create_alias": Kind.ALIAS,
    "$merge": Kind.ALIAS,
}
_TAKEN: Final = frozenset(
    ("token", "distinct_id", "$device_id", "$user_id", "$anon_distinct_id", "$insert_id", "time", "alias")
)
_PROFILE: Final = ("$set_once", "$set")
_OPERATIONS: Final = ("$add", "$append", "$union", "$remove", "$unset", "$delete")


class Mixpanel:
    """Reads Mixpanel's bodies."""

    __slots__ = ("_bench",)

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def claims(self, body: Body) -> bool:
        """Items with ``event`` and ``properties``, or profile updates with a ``$token`` or ``$distinct_id``."""
        found = content(body)
        first = found[0] if isinstance(found, list) and found else found
        return isinstance(first, dict) and (_is_profile(first) or ("event" in first and "properties" in first))

    def read(self, body: Body) -> Entries:
        """See ``Reader.read``."""
        found = content(body)
        if isinstance(found, Invalid):
            return found
        if isinstance(found, list):
            return each(self._bench, found, "$", lambda *item: self._item(body, *item))
        return [self._item(body, found, "$", 0)] if isinstance(found, dict) else refusal.UNKNOWN

    def _item(self, body: Body, item: Any, path: str, index: int) -> Entry:
        if isinstance(item, dict) and _is_profile(item):
            return self._profile(body, item, path, index)
        return self._event(body, item, path, index)

    def _event(self, body: Body, item: Any, path: str, index: int) -> Entry:
        outer = Fields(item, path)
        name = outer.text("event")
        properties = outer.object("properties")
        inner = Fields(properties, f"{path}.properties")
        kind = _KINDS.get(name or "", Kind.TRACK)
        device, person, subject = _who(inner.id("$device_id"), inner.id("$user_id"), inner.id("distinct_id"))
        draft = Draft(
            vendor=VENDOR,
            kind=kind,
            name=name,
            event_id=inner.id("$insert_id"),
            occurred_at=inner.time(stamp.seconds_or_millis, "time"),
            device=device,
            person=person,
            subject=subject,
            properties={key: value for key, value in properties.items() if key not in _TAKEN},
            context=page(
                properties.get("$current_url"), properties.get("$referrer"), properties.get("current_page_title")
            )
            | present(alias=properties.get("alias"), merged=properties.get("$distinct_ids")),
            name_path=f"{path}.event",
            id_path=f"{path}.properties.distinct_id",
        )
        problem = outer.problem or inner.problem
        if problem is None and name is None:
            return refusal.refuse(InvalidReason.MISSING_FIELD, f"{path}.event")
        return problem or finish(self._bench, draft, body.received_at, index)

    def _profile(self, body: Body, item: dict[str, Any], path: str, index: int) -> Entry:
        fields = Fields(item, path)
        group = fields.id("$group_id")
        device, person, subject = _who(fields.id("$device_id"), fields.id("$user_id"), fields.id("$distinct_id"))
        if device is None and person is None:
            person = subject
        properties: dict[str, Any] = {}
        for operation in _PROFILE:
            properties |= fields.object(operation)
        properties |= {key: item[key] for key in _OPERATIONS if key in item}
        draft = Draft(
            vendor=VENDOR,
            kind=Kind.GROUP if "$group_key" in item else Kind.IDENTIFY,
            occurred_at=fields.time(stamp.seconds_or_millis, "$time"),
            device=device,
            person=person,
            subject=subject,
            properties=properties,
            context=present(group_id=group, group_key=item.get("$group_key")),
            id_path=f"{path}.$distinct_id",
        )
        return fields.problem or finish(self._bench, draft, body.received_at, index)


def content(body: Body) -> Any:
    """The JSON a body holds, or the field ``data`` of its form or query; Invalid when there is none."""
    if body.is_json:
        return body.json
    return unreadable(body) if body.data is msgspec.UNSET else body.data


def _is_profile(item: dict[str, Any]) -> bool:
    return "event" not in item and ("$distinct_id" in item or "$group_key" in item or "$token" in item)


def _who(device: Id | None, person: Id | None, distinct: Id | None) -> tuple[Id | None, Id | None, Id | None]:
    if device is None and person is None and isinstance(distinct, str) and distinct.startswith(_DEVICE_MARK):
        device = distinct.removeprefix(_DEVICE_MARK) or None
    return device, person, distinct
