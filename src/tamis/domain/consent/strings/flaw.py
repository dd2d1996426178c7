"""Why a consent string cannot be used: the closed set of reasons, and the value that carries one.

Rules: a decoder gives its result or a ``Malformed``, never an exception; a message is made of the reason and the name
of a part, and holds nothing of the string. A present string that is malformed denies for the regulation it speaks of;
it is never "no signal". A reader keeps its first flaw and reads zeros from then on.
"""

from enum import StrEnum

import msgspec

MAX_CHARS = 8192
"""Longest string that is looked at."""


class Flaw(StrEnum):
    """What is wrong with a string; the value is what a person is told."""

    EMPTY = "empty"
    TOO_LONG = "longer than 8192 characters"
    FORMAT = "no consent string format begins like this"
    ALPHABET = "a character outside the base64url alphabet"
    LENGTH = "a length that base64url cannot have"
    TRUNCATED = "ends inside a field"
    PADDING = "more after the last field than zero padding to a whole character"
    VERSION = "unknown version"
    LETTERS = "a language or country that is not two letters"
    RANGE = "a vendor range with id 0, its end before its start, or beyond the highest id"
    RESTRICTION = "a publisher restriction that is undefined or stated twice"
    SEGMENT = "a segment that is empty, unknown, repeated or out of place"
    SECTIONS = "sections other than those the header lists"
    VALUE = "a value the field does not have"
    NO_DISCLOSED_VENDORS = "made after 2026-02-28 without disclosed vendors"


class Malformed(msgspec.Struct, frozen=True, gc=False):
    """A string, or one section of it, that cannot be used: its regulation is denied.

    Attributes:
        flaw: what is wrong.
        part: where, by the specification's name of a segment or section; empty for the string as a whole.
    """

    flaw: Flaw
    part: str = ""

    def message(self) -> str:
        """One line for people, without anything of the string."""
        return f"{self.part}: {self.flaw.value}" if self.part else self.flaw.value


class Unsupported(msgspec.Struct, frozen=True, gc=False):
    """A section whose content tamis does not read: its regulation is denied.

    Attributes:
        section: GPP section id.
    """

    section: int
