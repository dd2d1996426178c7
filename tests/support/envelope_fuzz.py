"""Damaged requests of all eleven vendors: whatever becomes of them, decoding gives entries and never an exception.

Rules: starts from captured requests and, for vendors of whom none is captured, from requests in the documented form;
every case can be made again from the seed. A case is decoded as a topic with several vendors does, and as one fixed to
its vendor.
"""

from __future__ import annotations

import random
import traceback
from typing import TYPE_CHECKING

from tamis.domain.event import Event, Invalid
from tamis.domain.outcome import InvalidReason
from tamis.envelopes.decoder import Decoder
from tamis.envelopes.registry import FIXED
from tests.support.payloads import FILES, KEY, RECEIVED_AT, damaged, load, record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tamis.envelopes.envelope import Entries

Headers = list[tuple[str, bytes]]
Case = tuple[str, bytes, Headers]
REASONS = frozenset(map(str, InvalidReason))
_ADDRESS = b"https://m.example.test/matomo.php"
_HIT = b"?idsite=1&rec=1&_id=0123456789abcdef&url=https%3A%2F%2Fshop.example.test&action_name=A&cdt=1795319504&uid=u-1"
_BULK = b'{"requests":["?idsite=1&rec=1&_id=01234567&e_c=cart&e_a=add&e_v=3","?idsite=1&rec=1&cid=ab&ping=1"]}'
_FORM = b"idsite=1&rec=1&cid=0123456789abcdef&idgoal=2&revenue=19.99&cdt=2026-11-22%2003%3A51%3A44"
WRITTEN: tuple[Case, ...] = (
    ("matomo", b"", [("endpoint", _ADDRESS + _HIT)]),
    ("matomo", _BULK, [("endpoint", _ADDRESS)]),
    ("matomo", _FORM, [("endpoint", _ADDRESS)]),
)


def cases() -> list[Case]:
    """Vendor, value and headers of sound requests."""
    found = [(path.parent.name, *record(load(path))) for path in FILES]
    return [(vendor, value, list(headers)) for vendor, value, headers in found] + list(WRITTEN)


def vendors() -> set[str]:
    """Whose requests there are."""
    return {vendor for vendor, _, _ in cases()} & FIXED.keys()


def broken(seed: int, count: int) -> Iterator[str]:
    """What went wrong with ``count`` damaged requests; nothing, unless there is a fault."""
    dice, sound = random.Random(seed), cases()
    detect = Decoder(KEY)
    fixed = {vendor: Decoder(KEY, vendor=vendor) for vendor in FIXED}
    for number in range(count):
        vendor, value, headers = sound[number % len(sound)]
        for _ in range(dice.randrange(1, 4)):
            value, headers = _damage(value, headers, dice)
        for decoder in filter(None, (detect, fixed.get(vendor))):
            problem = _problem(decoder, value, headers)
            if problem:
                yield f"seed {seed}, case {number}, {vendor}: {problem}"


def _damage(value: bytes, headers: Headers, dice: random.Random) -> tuple[bytes, Headers]:
    if headers and (not value or dice.randrange(4) == 0):
        place = dice.randrange(len(headers))
        name, text = headers[place]
        return value, [*headers[:place], (name, damaged(text, dice)), *headers[place + 1 :]]
    return damaged(value, dice), headers


def _problem(decoder: Decoder, value: bytes, headers: Headers) -> str:
    try:
        found = decoder.decode(value, headers, RECEIVED_AT)
        again = decoder.decode(value, headers, RECEIVED_AT)
    except Exception:  # noqa: BLE001 - any is what is looked for
        return traceback.format_exc(limit=-3)
    if found != again:
        return "the same bytes give two answers"
    return _unsound(found)


def _unsound(found: Entries) -> str:
    entries = [found] if isinstance(found, Invalid) else found
    if not entries:
        return "no entry at all"
    for entry in entries:
        if isinstance(entry, Invalid):
            if entry.reason not in REASONS or not entry.path.startswith("$"):
                return f"refused with {entry.reason} at {entry.path}"
        elif not isinstance(entry, Event) or not entry.event_id or not entry.name or not _in_range(entry):
            return "an event without id, name or a time that exists"
    return ""


def _in_range(event: Event) -> bool:
    return event.occurred_at is None or 0 <= event.occurred_at < 1 << 53
