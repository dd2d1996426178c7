"""GPP strings: header and sections, text in, ``GppString`` or ``Malformed`` out.

Rules: the header has type 3, version 1 and the ids of exactly the sections that follow, ascending. Each section stands
for itself: one that cannot be read, or that tamis does not know, denies for its own regulation and leaves the others.
A header that cannot be read, or does not fit the sections, makes the whole string malformed.
Source: IAB Tech Lab, Global Privacy Platform, "Consent String Specification" 1.0 and "Section Information".
"""

from collections.abc import Mapping
from functools import lru_cache

import msgspec

from tamis.domain.consent.strings.bits import MAX_PADDING, Cursor
from tamis.domain.consent.strings.flaw import MAX_CHARS, Flaw, Malformed, Unsupported
from tamis.domain.consent.strings.tcf import CACHED_CHARS, CACHED_STRINGS, TcString, decode_tcf
from tamis.domain.consent.strings.us import UsSection, decode_us
from tamis.domain.consent.strings.us_layouts import LAYOUTS
from tamis.domain.consent.strings.usp import NAME as USP_NAME
from tamis.domain.consent.strings.usp import UspString, decode_usp

TCF_SECTION, USP_SECTION = 2, 6
MOST_SECTIONS = 64
"""More than twice the ids there are."""

NAMES = {
    1: "tcfeuv1", TCF_SECTION: "tcfeuv2", 3: "header", 4: "integrity", 5: "tcfcav1", USP_SECTION: USP_NAME,
    **{section: versions[1].name for section, versions in LAYOUTS.items()},
}  # fmt: skip
"""Section id -> client-side API prefix, for those that have one."""

_TYPE, _VERSION = 3, 1
_FIBONACCI = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987, 1597, 2584, 4181, 6765, 10946, 17711, 28657)

Body = TcString | UspString | UsSection | Malformed | Unsupported


class GppString(msgspec.Struct, frozen=True, gc=False):
    """A GPP string whose header was read.

    Attributes:
        sections: section id -> what it holds, or why it cannot be read; ascending ids.
    """

    sections: Mapping[int, Body]

    def malformed(self) -> Malformed | None:
        """The first section that cannot be read, by its name."""
        for section, body in self.sections.items():
            if isinstance(body, Malformed):
                name = NAMES[section]
                return Malformed(body.flaw, name if body.part in {"", name} else f"{name} {body.part}")
        return None


def decode_gpp(text: str) -> GppString | Malformed:
    """Decodes a GPP string; answers for strings of up to 2048 characters are remembered, refusals too."""
    return _remembered(text) if len(text) <= CACHED_CHARS else _decode(text)


def forget_gpp() -> None:
    """Empties the memory of decoded strings (for measurements)."""
    _remembered.cache_clear()


def _decode(text: str) -> GppString | Malformed:
    if not text:
        return Malformed(Flaw.EMPTY)
    if len(text) > MAX_CHARS:
        return Malformed(Flaw.TOO_LONG)
    if text.count("~") > MOST_SECTIONS:
        return Malformed(Flaw.SECTIONS)
    header, *texts = text.split("~")
    ids = _read_header(header, len(texts))
    if isinstance(ids, Flaw):
        return Malformed(ids, "header")
    return GppString({section: _body(section, body) for section, body in zip(ids, texts, strict=True)})


_remembered = lru_cache(CACHED_STRINGS)(_decode)


def _body(section: int, text: str) -> Body:
    if section in LAYOUTS:
        return decode_us(section, text)
    if section == TCF_SECTION:
        return decode_tcf(text)
    if section == USP_SECTION:
        return decode_usp(text)
    return Unsupported(section)


def _read_header(text: str, sections: int) -> list[int] | Flaw:
    """Ids of the ``sections`` sections that follow."""
    cursor = Cursor(text)
    kind, version, items = cursor.take(6), cursor.take(6), cursor.take(12)
    if cursor.flaw is not None:
        return cursor.flaw
    if (kind, version) != (_TYPE, _VERSION):
        return Flaw.VERSION
    if items > sections:
        return Flaw.SECTIONS
    rest = cursor.size - cursor.pos
    bits = f"{cursor.take_long(rest):0{rest}b}" if rest else ""
    ids, pos = _read_ids(bits, items, sections)
    if isinstance(ids, Flaw):
        return ids
    if len(bits) - pos > MAX_PADDING or "1" in bits[pos:]:
        return Flaw.PADDING
    return ids if len(ids) == sections else Flaw.SECTIONS


def _read_ids(bits: str, items: int, most: int) -> tuple[list[int] | Flaw, int]:
    """Reads ``items`` items of a Range (Fibonacci), no more than ``most`` ids; also the position after them."""
    ids: list[int] = []
    last = pos = 0
    for _ in range(items):
        group = bits[pos : pos + 1] == "1"
        offset, pos = _fibonacci(bits, pos + 1)
        if not offset:
            return Flaw.TRUNCATED, pos
        length = 0
        if group:
            length, pos = _fibonacci(bits, pos)
            if not length:
                return Flaw.TRUNCATED, pos
        first = last + offset
        last = first + length
        if len(ids) + length >= most:
            return Flaw.SECTIONS, pos
        ids.extend(range(first, last + 1))
    return ids, pos


def _fibonacci(bits: str, pos: int) -> tuple[int, int]:
    """One Fibonacci-coded number from ``pos`` and the position after it; 0 when there is none of at most 22 digits."""
    end = bits.find("11", pos)
    if end < 0 or end - pos >= len(_FIBONACCI):
        return 0, pos
    return sum(number for number, bit in zip(_FIBONACCI, bits[pos : end + 1], strict=False) if bit == "1"), end + 2
