"""An encoder of consent strings for tests, written from the specifications' field tables, apart from the decoders.

Rules: everything is a text of zeros and ones until the end; nothing is checked, so that broken strings can be made.
Segments are filled with zeros to ``fill`` bits: 24 as TC libraries do, 6 as the GPP specification asks, or 8 then 6 as
GPP libraries do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
OLD_DAY_S = 1_650_000_000
NEW_DAY_S = 1_795_305_600  # 2026-11-22


def number(value: int, width: int) -> str:
    return format(value, "b").zfill(width)


def mask(ids: Iterable[int], width: int) -> str:
    chosen = set(ids)
    return "".join("1" if n in chosen else "0" for n in range(1, width + 1))


def letters(text: str) -> str:
    return "".join(number(ord(letter) - 65, 6) for letter in text)


def text_of(bits: str, *fills: int) -> str:
    for fill in (*fills, 6):
        bits += "0" * (-len(bits) % fill)
    return "".join(ALPHABET[int(bits[at : at + 6], 2)] for at in range(0, len(bits), 6))


def entries(spans: Sequence[tuple[int, int]]) -> str:
    """NumEntries and range entries."""
    parts = [
        "0" + number(first, 16) if first == last else "1" + number(first, 16) + number(last, 16)
        for first, last in spans
    ]
    return number(len(parts), 12) + "".join(parts)


def vendors(spans: Sequence[tuple[int, int]], *, field: bool = False) -> str:
    """MaxVendorId, IsRangeEncoding, and either form."""
    highest = max((last for _, last in spans), default=0)
    if not field:
        return number(highest, 16) + "1" + entries(spans)
    ids = {vendor for first, last in spans for vendor in range(first, last + 1)}
    return number(highest, 16) + "0" + mask(ids, highest)


class Tc(msgspec.Struct, kw_only=True):
    """The fields of a TC string; vendor lists as ``(first, last)``; ``None`` leaves a segment out."""

    version: int = 2
    created_s: int = NEW_DAY_S
    updated_s: int | None = None
    cmp_id: int = 300
    cmp_version: int = 3
    screen: int = 1
    language: str = "EN"
    list_version: int = 120
    policy: int = 5
    service_specific: bool = True
    own_texts: bool = False
    features: frozenset[int] = frozenset()
    consents: frozenset[int] = frozenset()
    interests: frozenset[int] = frozenset()
    one_treatment: bool = False
    country: str = "FR"
    vendor_consents: tuple[tuple[int, int], ...] = ()
    vendor_interests: tuple[tuple[int, int], ...] = ()
    restrictions: tuple[tuple[int, int, tuple[tuple[int, int], ...]], ...] = ()
    disclosed: tuple[tuple[int, int], ...] | None = ((1, 2000),)
    allowed: tuple[tuple[int, int], ...] | None = None
    publisher: tuple[frozenset[int], frozenset[int], int, frozenset[int], frozenset[int]] | None = None
    fields: bool = False


def core_bits(tc: Tc) -> str:
    updated = tc.created_s if tc.updated_s is None else tc.updated_s
    return "".join(
        [
            number(tc.version, 6), number(tc.created_s * 10, 36), number(updated * 10, 36), number(tc.cmp_id, 12),
            number(tc.cmp_version, 12), number(tc.screen, 6), letters(tc.language), number(tc.list_version, 12),
            number(tc.policy, 6), number(tc.service_specific, 1), number(tc.own_texts, 1), mask(tc.features, 12),
            mask(tc.consents, 24), mask(tc.interests, 24), number(tc.one_treatment, 1), letters(tc.country),
            vendors(tc.vendor_consents, field=tc.fields), vendors(tc.vendor_interests, field=tc.fields),
            number(len(tc.restrictions), 12),
            *(number(purpose, 6) + number(kind, 2) + entries(spans) for purpose, kind, spans in tc.restrictions),
        ]
    )  # fmt: skip


def segment_bits(tc: Tc) -> list[str]:
    found = []
    if tc.disclosed is not None:
        found.append("001" + vendors(tc.disclosed, field=tc.fields))
    if tc.allowed is not None:
        found.append("010" + vendors(tc.allowed, field=tc.fields))
    if tc.publisher is not None:
        consents, interests, custom, own_consents, own_interests = tc.publisher
        own = mask(own_consents, custom) + mask(own_interests, custom)
        found.append("011" + mask(consents, 24) + mask(interests, 24) + number(custom, 6) + own)
    return found


def tc_string(tc: Tc, fill: int = 24) -> str:
    return ".".join(text_of(bits, fill) for bits in [core_bits(tc), *segment_bits(tc)])


def fibonacci(value: int) -> str:
    """Fibonacci code of a positive number: its Zeckendorf digits, smallest first, and a closing 1."""
    sizes = [1, 2]
    while sizes[-1] <= value:
        sizes.append(sizes[-1] + sizes[-2])
    digits, rest = [], value
    for size in reversed(sizes[:-1]):
        digits.append("1" if size <= rest else "0")
        rest -= size if size <= rest else 0
    return "".join(reversed(digits)) + "1"


def header(ids: Sequence[int], kind: int = 3, version: int = 1) -> str:
    """A GPP header: neighbours become groups."""
    groups: list[list[int]] = []
    for section in ids:
        if groups and section == groups[-1][1] + 1:
            groups[-1][1] = section
        else:
            groups.append([section, section])
    bits, last = "", 0
    for first, end in groups:
        bits += (
            ("1" if end > first else "0") + fibonacci(first - last) + (fibonacci(end - first) if end > first else "")
        )
        last = end
    return text_of(number(kind, 6) + number(version, 6) + number(len(groups), 12) + bits, 8)


def gpp_string(sections: Mapping[int, str]) -> str:
    ids = sorted(sections)
    return "~".join([header(ids), *(sections[section] for section in ids)])


def us_section(version: int, values: Sequence[int | Sequence[int]], *more: str, fill: int = 8) -> str:
    """A US section from its values in table order; ``more`` are the bits of further segments."""
    flat: list[Any] = []
    for value in values:
        flat.extend([value] if isinstance(value, int) else value)
    core = number(version, 6) + "".join(number(value, 2) for value in flat)
    return ".".join(text_of(bits, fill) for bits in [core, *more])


def gpc(value: bool) -> str:
    return "01" + number(value, 1)
