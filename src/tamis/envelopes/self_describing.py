"""Snowplow's self-describing JSON: an event or entity named by its schema, and what consent events say.

Rules: a schema is ``iglu:vendor/name/format/version``; an event may be wrapped in ``unstruct_event``, entities in
``contexts``. What is in no such form is an event without name and content, or no entity. Kinds come from the name of
the schema: ``page_view``, ``screen_view``, ``identify``, ``group``, ``alias``, the consent events, else track.
"""

from typing import Any, Final

import msgspec

from tamis.domain.event import InlineConsent, Kind, Signal
from tamis.envelopes.page import present

VENDOR: Final = "snowplow"
_KINDS: Final = {
    "page_view": Kind.PAGE,
    "screen_view": Kind.PAGE,
    "page_ping": Kind.AUTO,
    "identify": Kind.IDENTIFY,
    "group": Kind.GROUP,
    "alias": Kind.ALIAS,
    "consent_preferences": Kind.CONSENT,
    "consent_granted": Kind.CONSENT,
    "consent_withdrawn": Kind.CONSENT,
    "application_install": Kind.AUTO,
    "application_foreground": Kind.AUTO,
    "application_background": Kind.AUTO,
    "cmp_visible": Kind.AUTO,
}
_SCHEMA_PARTS: Final = 4
_GRANTING: Final = frozenset(("allow_all", "allow_selected"))
_MAX_WRAPS: Final = 4


class Described(msgspec.Struct, frozen=True):
    """A self-describing event.

    Attributes:
        schema: its ``iglu:`` address, None when there is none.
        name: the schema's name.
        content: its data.
    """

    schema: str | None
    name: str | None
    content: dict[str, Any]


NOTHING: Final = Described(None, None, {})


def kind_of(name: str | None) -> Kind:
    """The kind that a schema's name tells."""
    return _KINDS.get(name or "", Kind.TRACK)


def described(found: Any) -> Described:
    """The innermost event of ``found``, its wrappers taken off."""
    for _ in range(_MAX_WRAPS):
        if not isinstance(found, dict):
            return NOTHING
        schema, inner = found.get("schema"), found.get("data")
        if isinstance(inner, dict) and "schema" in inner and "data" in inner:
            found = inner
            continue
        name = _name(schema)
        return Described(schema, name, inner if isinstance(inner, dict) else {}) if name else NOTHING
    return NOTHING


def entities(*wrapped: Any) -> dict[str, Any]:
    """Entities as context: ``contexts`` by schema name (a list each), ``context_schemas`` in order."""
    schemas: list[str] = []
    found: dict[str, list[Any]] = {}
    for wrapper in wrapped:
        items = wrapper.get("data") if isinstance(wrapper, dict) else None
        for item in items if isinstance(items, list) else ():
            schema = item.get("schema") if isinstance(item, dict) else None
            name = _name(schema)
            if name and isinstance(schema, str):
                schemas.append(schema)
                found.setdefault(name, []).append(item.get("data"))
    return present(contexts=found) | ({"context_schemas": schemas} if schemas else {})


def consent_of(event: Described) -> tuple[InlineConsent | None, dict[str, Any]]:
    """What a consent event says, and the same in the words it is shown with; any other event says nothing."""
    if event.name == "consent_withdrawn":
        return InlineConsent({}, signals=((Signal.STATE.value, "withdrawn"),)), {}
    if event.name != "consent_preferences":
        return None, {}
    state, scopes = event.content.get("eventType"), event.content.get("consentScopes", [])
    if not isinstance(state, str) or not isinstance(scopes, list) or not all(isinstance(s, str) for s in scopes):
        return InlineConsent({}, malformed=True), {}
    granted = state in _GRANTING
    choices = dict.fromkeys(scopes, granted)
    applies = event.content.get("gdprApplies")
    signals = ((Signal.GDPR_APPLIES.value, "1" if applies else "0"),) if isinstance(applies, bool) else ()
    stated = {"granted": scopes if granted else [], "event": state}
    return InlineConsent(choices, signals=(*signals, (Signal.STATE.value, state))), stated


def _name(schema: Any) -> str | None:
    parts = schema.removeprefix("iglu:").split("/") if isinstance(schema, str) else ()
    return parts[1] if len(parts) == _SCHEMA_PARTS and parts[1] else None
