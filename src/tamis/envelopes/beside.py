"""What record headers say of a body: which family of envelopes to ask first, and consent stated by the browser.

Rules: headers are looked at only where a record has any; ``endpoint`` holds the address the body was posted to. A body
posted to a path of the analytics.js form (``/v1/...``), or to none, is first taken for a call. ``Sec-GPC: 1`` (Global
Privacy Control) is a signal on every event of the record; any other value is none. The ``user-agent`` of a browser
stands in the context of events whose SDK left it to the request.
"""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Final

import msgspec

from tamis.domain.event import Event, InlineConsent, Signal
from tamis.envelopes.body import ENDPOINT, address
from tamis.envelopes.envelope import Entries, Entry, Headers
from tamis.envelopes.jitsu import ADDRESS as JITSU_ADDRESS

MAX_AGENT: Final = 1_024
_GPC: Final = (Signal.GPC.value, "1")
_ONLY_GPC: Final = InlineConsent({}, signals=(_GPC,))


class Order(Enum):
    """Whom to ask first."""

    CALLS = "calls"
    JITSU = "jitsu"
    VENDORS = "vendors"


def order_of(headers: Headers) -> Order:
    """Whom the headers name."""
    order = Order.CALLS
    for name, raw in headers:
        key = name.lower()
        if key.startswith(("ce_", "ce-")):
            return Order.VENDORS
        if key == ENDPOINT and raw:
            path = address(raw.decode("latin-1"))[0]
            if JITSU_ADDRESS in path:
                order = Order.JITSU
            elif "/v1/" not in path:
                order = Order.VENDORS
    return order


def states_gpc(headers: Headers) -> bool:
    """Whether the request carried ``Sec-GPC: 1``."""
    return any(name.lower() == "sec-gpc" and raw is not None and raw.strip() == b"1" for name, raw in headers)


def agent_of(headers: Headers) -> str:
    """The browser that made the request, "" when it was none: a server's client says nothing of the person."""
    for name, raw in headers:
        if name.lower() == "user-agent" and raw is not None and raw.startswith(b"Mozilla/"):
            return raw[:MAX_AGENT].decode("utf-8", "replace")
    return ""


def with_agent(entries: Entries, agent: str) -> Entries:
    """The same entries, each event with the user agent of its request unless its SDK said one."""
    if not agent or not isinstance(entries, list):
        return entries
    return [
        msgspec.structs.replace(entry, context={**entry.context, "userAgent": agent})
        if isinstance(entry, Event) and "userAgent" not in entry.context
        else entry
        for entry in entries
    ]


def with_gpc(entries: Entries) -> Entries:
    """The same entries, each event with the signal."""
    return list(map(_marked, entries)) if isinstance(entries, list) else entries


def _marked(entry: Entry) -> Entry:
    if not isinstance(entry, Event):
        return entry
    if entry.consent is None:
        return msgspec.structs.replace(entry, consent=_ONLY_GPC)
    signals = (*entry.consent.signals, _GPC)
    return msgspec.structs.replace(entry, consent=msgspec.structs.replace(entry.consent, signals=signals))


Decode = Callable[[bytes, Headers, int], Entries | None]


def first_of(decoders: Sequence[Decode], value: bytes, headers: Headers, received_at: int) -> Entries | None:
    """What the first of them that knows the body makes of it."""
    for decode in decoders:
        entries = decode(value, headers, received_at)
        if entries is not None:
            return entries
    return None
