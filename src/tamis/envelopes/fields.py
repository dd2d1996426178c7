"""Single facts of an analytics.js call: its kind, name and properties, and whether a body is a call at all.

Rules: see ``calls``; every function here is total.
"""

from typing import Any, Final

import msgspec

from tamis.domain.event import InlineConsent, Kind
from tamis.envelopes.dialect import Call
from tamis.envelopes.envelope import Headers

TRACK: Final = Kind.TRACK.value
KINDS: Final = {
    "track": TRACK,
    "page": Kind.PAGE.value,
    "screen": Kind.PAGE.value,
    "identify": Kind.IDENTIFY.value,
    "group": Kind.GROUP.value,
    "alias": Kind.ALIAS.value,
}
_SHORT_ADDRESSES: Final = {"t": "track", "p": "page", "s": "screen", "i": "identify", "g": "group", "a": "alias"}
_NOTHING: Final[dict[str, Any]] = {}


class _Shape(msgspec.Struct):
    type: Any = None
    batch: Any = None


_read_shape = msgspec.json.Decoder(_Shape).decode


def looks_like_call(value: bytes | msgspec.Raw) -> bool:
    """Whether a body was meant to be a call or a batch with one."""
    try:
        shape = _read_shape(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    items = shape.batch if isinstance(shape.batch, list) else ()
    types = (shape.type, *(item.get("type") for item in items if isinstance(item, dict)))
    return any(isinstance(kind, str) and kind in KINDS for kind in types)


def kind_of_address(headers: Headers) -> str | None:
    """The kind that the posted address names ("/v1/track", "/v1/t"), from the header ``endpoint``."""
    for key, raw in headers:
        if key == "endpoint" and raw:  # a header's value may be null
            last = raw.decode("latin-1").partition("?")[0].rstrip("/").rpartition("/")[2].lower()
            return KINDS.get(_SHORT_ADDRESSES.get(last, last))
    return None


def properties_of(call: Call, kind: str) -> dict[str, Any]:
    """What the call says of its subject: properties, or the traits of an identify or group."""
    if kind == Kind.IDENTIFY:
        return _traits(call)
    if kind == Kind.GROUP:
        return {"groupId": call.groupId} | _traits(call)
    if kind == Kind.ALIAS:
        return {"previousId": call.previousId} | (call.properties or _NOTHING)
    return call.properties or _NOTHING


def name_of(call: Call, kind: str, properties: dict[str, Any]) -> str:
    """A page's name, or the kind of a call that has no name of its own."""
    if kind != Kind.PAGE:
        return kind
    nested = properties.get("name")
    return call.name or (nested if isinstance(nested, str) else "") or kind


def stricter(one: InlineConsent, other: InlineConsent) -> InlineConsent:
    """Both signals at once: a no in either is a no, malformed in either is malformed."""
    choices = one.choices | other.choices
    for category in one.choices.keys() & other.choices.keys():
        choices[category] = one.choices[category] and other.choices[category]
    signals = one.signals + tuple(signal for signal in other.signals if signal not in one.signals)
    return InlineConsent(choices, one.malformed or other.malformed, signals)


def _traits(call: Call) -> dict[str, Any]:
    if call.traits is not None:
        return call.traits
    nested = (call.context or _NOTHING).get("traits")
    return nested if isinstance(nested, dict) else _NOTHING
