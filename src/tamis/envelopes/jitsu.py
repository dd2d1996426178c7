"""Jitsu: the analytics.js specification, posted to ``/api/s/<call>``.

Source: Jitsu "HTTP API" and its browser client. The calls are those of Segment, consent included. They are recognised
by the address they were posted to (record header ``endpoint``); without it they cannot be told from Segment's. A page
has no name of its own: what ``jitsu.page(name)`` is given arrives as a property. Jitsu's specification corrects no
skew.
"""

from typing import Any, Final

import msgspec

from tamis.domain.event import Event, Kind
from tamis.envelopes.calls import Calls
from tamis.envelopes.dialect import Call, Dialect
from tamis.envelopes.envelope import Entries, Headers, Workbench
from tamis.envelopes.segment import category_preferences

VENDOR: Final = "jitsu"
ADDRESS: Final = "/api/s/"


def _recognises(_call: Call) -> bool:
    return True


JITSU = Dialect(
    vendor=VENDOR,
    recognises=_recognises,
    original_first=False,
    consent_key="consent",
    read_consent=category_preferences,
)


class Jitsu:
    """Reads Jitsu's calls.

    Args:
        bench: limits and derived ids.
        readers: dialects whose consent signal is read.
        sure: the topic is known to hold nothing else.
    """

    __slots__ = ("_calls",)

    def __init__(self, bench: Workbench, readers: tuple[Dialect, ...], *, sure: bool) -> None:
        self._calls = Calls(bench, (JITSU,), readers, sure=sure)

    def decode(self, value: bytes, headers: Headers, received_at: int) -> Entries | None:
        """See ``Envelope.decode``."""
        found = self._calls.decode(value, headers, received_at)
        return [_unnamed(entry) for entry in found] if isinstance(found, list) else found


def _unnamed(entry: Any) -> Any:
    if isinstance(entry, Event) and entry.kind == Kind.PAGE:
        return msgspec.structs.replace(entry, name=entry.kind)
    return entry
