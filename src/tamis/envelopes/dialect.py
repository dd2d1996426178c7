"""The wire form that Segment and its kin share, and what sets one vendor apart from another.

Rules: field names are the specification's; ids may be numbers (clients send them), everything else has its one type;
fields not listed are ignored. A dialect says how to recognise its calls, which field holds the time of the event,
and how consent is stated.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

from tamis.domain.event import InlineConsent


class Call(msgspec.Struct, frozen=True, gc=False):
    """One call, or a body with a batch of calls; types are checked while the bytes are read."""

    type: str | None = None
    messageId: str | int | None = None  # noqa: N815  the wire's own names
    event: str | None = None
    name: str | None = None
    anonymousId: str | int | None = None  # noqa: N815  the wire's own names
    userId: str | int | None = None  # noqa: N815  the wire's own names
    timestamp: str | None = None
    originalTimestamp: str | None = None  # noqa: N815  the wire's own names
    sentAt: Any = None  # noqa: N815  the wire's own names
    receivedAt: Any = None  # noqa: N815  the wire's own names
    channel: str | None = None
    rudderId: Any = None  # noqa: N815  the wire's own names
    groupId: str | int | None = None  # noqa: N815  the wire's own names
    previousId: str | int | None = None  # noqa: N815  the wire's own names
    properties: dict[str, Any] | None = None
    traits: dict[str, Any] | None = None
    context: dict[str, Any] | None = None
    batch: list[msgspec.Raw] | None = None


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """What sets one vendor's calls apart.

    Attributes:
        vendor: its name in events.
        recognises: whether the call is this vendor's; asked in the order of the registry.
        original_first: the time of the event is ``originalTimestamp`` where both times are sent, else ``timestamp``.
        skewed: the vendor's specification corrects client clocks by ``sentAt``.
        named_pages: a page call's name is the event's, not that of its kind.
        consent_key: where ``context`` holds the vendor's consent signal.
        read_consent: the signal as choices; what it cannot read is malformed.
    """

    vendor: str
    recognises: Callable[[Call], bool]
    original_first: bool
    consent_key: str
    read_consent: Callable[[Any], InlineConsent]
    skewed: bool = True
    named_pages: bool = True


_Scalar: TypeAlias = bool | int | float | str | None
_One: TypeAlias = _Scalar | list[_Scalar] | dict[str, _Scalar]
_Two: TypeAlias = _Scalar | list[_One] | dict[str, _One]
_Three: TypeAlias = _Scalar | list[_Two] | dict[str, _Two]
_Four: TypeAlias = _Scalar | list[_Three] | dict[str, _Three]
FLAT_DEPTH = 6


class FlatCall(Call, frozen=True, gc=False):
    """A call nested at most ``FLAT_DEPTH`` levels deep, as nearly all are: checked while reading, at no extra cost."""

    properties: dict[str, _Four] | None = None
    traits: dict[str, _Four] | None = None
    context: dict[str, _Four] | None = None


# Refuses deeper calls with a ValidationError; ``read_call`` takes them, and their depth must then be measured.
read_flat_call = msgspec.json.Decoder(FlatCall).decode
read_call = msgspec.json.Decoder(Call).decode
