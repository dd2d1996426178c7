"""TC strings of the IAB Europe Transparency and Consent Framework 2.0 to 2.3: text in, ``TcString`` or flaw out.

Rules: encoding version 2 only; the core segment comes first, then disclosed vendors, allowed vendors and publisher TC,
each at most once and in any order; a string made after 2026-02-28 must have disclosed vendors. Reading is lenient in
nothing else: see ``bits`` and ``vendors``. Global scope, old policy versions and all other *meaning* is judged in
``tcf_judgement``.
Source: IAB Tech Lab, "Consent string and vendor list formats v2" (TCF 2.3).
"""

from functools import lru_cache

import msgspec

from tamis.domain.consent.strings.bits import Cursor
from tamis.domain.consent.strings.flaw import MAX_CHARS, Flaw, Malformed
from tamis.domain.consent.strings.vendors import VendorSet, read_ranges, read_vendors

PURPOSES = 24
SPECIAL_FEATURES = 12
DISCLOSED_SINCE_MS = 1_772_323_200_000
"""2026-03-01T00:00Z: strings made from then on must have disclosed vendors."""

CACHED_STRINGS = 4096
CACHED_CHARS = 2048
"""Longer strings are decoded each time, so that hostile ones cannot fill the memory."""

CORE, DISCLOSED, ALLOWED, PUBLISHER = range(4)
SEGMENTS = ("core", "disclosed_vendors", "allowed_vendors", "publisher_tc")
_VERSION = 2
_MAX_PADDING = 63  # early official encoders left 57 zeros after a publisher TC segment
_HEAD_BITS = 213
_A = ord("A")


class Restriction(msgspec.Struct, frozen=True, gc=False):
    """A publisher's restriction of a purpose for some vendors.

    Attributes:
        purpose: 1 to 63.
        type: 0 not allowed, 1 require consent, 2 require legitimate interest.
        vendors: whom it binds.
    """

    purpose: int
    type: int
    vendors: VendorSet


class PublisherTc(msgspec.Struct, frozen=True, gc=False):
    """The publisher's own transparency and consent; masks have purpose 1 as their highest bit.

    Attributes:
        consents, legitimate_interests: 24 bits.
        custom: number of custom purposes, 0 to 63.
        custom_consents, custom_legitimate_interests: ``custom`` bits.
    """

    consents: int
    legitimate_interests: int
    custom: int
    custom_consents: int
    custom_legitimate_interests: int


class TcString(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A decoded TC string. Times are ms since the epoch; masks have id 1 as their highest bit.

    Attributes:
        special_features: 12 bits.
        purpose_consents, purpose_legitimate_interests: 24 bits.
        disclosed, allowed, publisher: None when the segment is absent.
    """

    created: int
    last_updated: int
    cmp_id: int
    cmp_version: int
    consent_screen: int
    consent_language: str
    vendor_list_version: int
    policy_version: int
    is_service_specific: bool
    use_non_standard_texts: bool
    special_features: int
    purpose_consents: int
    purpose_legitimate_interests: int
    purpose_one_treatment: bool
    publisher_country: str
    vendor_consents: VendorSet
    vendor_legitimate_interests: VendorSet
    restrictions: tuple[Restriction, ...]
    disclosed: VendorSet | None
    allowed: VendorSet | None
    publisher: PublisherTc | None


def decode_tcf(text: str) -> TcString | Malformed:
    """Decodes a TC string; answers for strings of up to 2048 characters are remembered, refusals too."""
    return _remembered(text) if len(text) <= CACHED_CHARS else _decode(text)


def forget_tcf() -> None:
    """Empties the memory of decoded strings (for measurements)."""
    _remembered.cache_clear()


def _decode(text: str) -> TcString | Malformed:
    if not text:
        return Malformed(Flaw.EMPTY)
    if len(text) > MAX_CHARS:
        return Malformed(Flaw.TOO_LONG)
    if text.count(".") >= len(SEGMENTS):
        return Malformed(Flaw.SEGMENT)
    core, *others = text.split(".")
    extra = _read_segments(others)
    return extra if isinstance(extra, Malformed) else _read_core(core, extra)


_remembered = lru_cache(CACHED_STRINGS)(_decode)

_Segments = dict[int, VendorSet | PublisherTc]


def _start(text: str) -> Cursor:
    cursor = Cursor(text)
    if len(text) & 3 == 1:
        cursor.fail(Flaw.LENGTH)
    return cursor


def _read_segments(texts: list[str]) -> _Segments | Malformed:
    found: _Segments = {}
    for text in texts:
        cursor = _start(text)
        kind = cursor.take(3)
        part = SEGMENTS[kind] if CORE < kind < len(SEGMENTS) else ""
        if cursor.flaw is None and (not CORE < kind < len(SEGMENTS) or kind in found):
            cursor.fail(Flaw.SEGMENT)
        else:
            found[kind] = _read_publisher(cursor) if kind == PUBLISHER else read_vendors(cursor)
            cursor.finish(_MAX_PADDING)
        if cursor.flaw is not None:
            return Malformed(cursor.flaw, part)
    return found


def _read_publisher(cursor: Cursor) -> PublisherTc:
    consents, interests, custom = cursor.take(PURPOSES), cursor.take(PURPOSES), cursor.take(6)
    return PublisherTc(consents, interests, custom, cursor.take_long(custom), cursor.take_long(custom))


def _read_core(text: str, extra: _Segments) -> TcString | Malformed:
    cursor = _start(text)
    if cursor.flaw is None and cursor.take(6) != _VERSION:
        cursor.fail(Flaw.VERSION)
    cursor.pos = 0
    head = cursor.take_long(_HEAD_BITS)
    language, country = _letters(head >> 93), _letters(head)
    if not (language and country):
        cursor.fail(Flaw.LETTERS)
    vendor_consents = read_vendors(cursor)
    vendor_interests = read_vendors(cursor)
    restrictions = _read_restrictions(cursor)
    cursor.finish(_MAX_PADDING)
    created, updated = head >> 171 & 0xFFFFFFFFF, head >> 135 & 0xFFFFFFFFF
    if DISCLOSED not in extra and max(created, updated) * 100 >= DISCLOSED_SINCE_MS:
        cursor.fail(Flaw.NO_DISCLOSED_VENDORS)
    if cursor.flaw is not None:
        return Malformed(cursor.flaw, SEGMENTS[CORE])
    return TcString(
        created=created * 100,
        last_updated=updated * 100,
        cmp_id=head >> 123 & 0xFFF,
        cmp_version=head >> 111 & 0xFFF,
        consent_screen=head >> 105 & 0x3F,
        consent_language=language,
        vendor_list_version=head >> 81 & 0xFFF,
        policy_version=head >> 75 & 0x3F,
        is_service_specific=bool(head >> 74 & 1),
        use_non_standard_texts=bool(head >> 73 & 1),
        special_features=head >> 61 & 0xFFF,
        purpose_consents=head >> 37 & 0xFFFFFF,
        purpose_legitimate_interests=head >> 13 & 0xFFFFFF,
        purpose_one_treatment=bool(head >> 12 & 1),
        publisher_country=country,
        vendor_consents=vendor_consents,
        vendor_legitimate_interests=vendor_interests,
        restrictions=restrictions,
        disclosed=extra.get(DISCLOSED),  # type: ignore[arg-type]
        allowed=extra.get(ALLOWED),  # type: ignore[arg-type]
        publisher=extra.get(PUBLISHER),  # type: ignore[arg-type]
    )


def _letters(number: int) -> str:
    """Two letters of six bits each, A = 0, from the lowest 12 bits; empty if they are none."""
    first, second = number >> 6 & 0x3F, number & 0x3F
    return chr(_A + first) + chr(_A + second) if first < 26 and second < 26 else ""  # noqa: PLR2004 - the alphabet


_MOST_RESTRICTIONS = 63 * 3


def _read_restrictions(cursor: Cursor) -> tuple[Restriction, ...]:
    count = cursor.take(12)
    if not count:
        return ()
    if count > _MOST_RESTRICTIONS:
        cursor.fail(Flaw.RESTRICTION)
        return ()
    found: dict[int, Restriction] = {}
    for _ in range(count):
        key = cursor.take(8)
        purpose, kind = key >> 2, key & 3
        vendors = read_ranges(cursor)
        if cursor.flaw is not None:
            break
        if not purpose or kind > 2 or key in found:  # noqa: PLR2004 - type 3 is undefined
            cursor.fail(Flaw.RESTRICTION)
            break
        found[key] = Restriction(purpose, kind, vendors)
    return tuple(found.values())
