"""Google Consent Mode parameters: ``gcs`` (``G101``) and ``gcd`` (``11p1p1p1p5``).

Rules: ``gcs`` is ``G1`` and one of ``1 0 -`` for ad and for analytics storage. ``gcd`` is ``1``, then a digit and a
letter for each of four types, then a digit, then further pairs that no one has explained and nothing is read from.
A letter that is not known is UNKNOWN, never a grant; ``t`` is the site's default, which no person gave.
Google does not document ``gcd``; the letters are as consent tools' vendors describe them.
"""

import re
from enum import StrEnum
from functools import lru_cache

import msgspec

from tamis.domain.consent.strings.flaw import MAX_CHARS, Flaw, Malformed

TYPES = ("ad_storage", "analytics_storage", "ad_user_data", "ad_personalization")
"""Consent types in the order of ``gcd``; ``gcs`` has the first two."""


class Signal(StrEnum):
    """What a letter or digit says about one consent type. Only GRANTED is a person's yes."""

    UNSET = "unset"
    DENIED_BY_DEFAULT = "denied_by_default"
    DENIED = "denied"
    GRANTED_BY_DEFAULT = "granted_by_default"
    GRANTED = "granted"
    UNKNOWN = "unknown"


class ConsentMode(msgspec.Struct, frozen=True, gc=False):
    """A decoded parameter.

    Attributes:
        format: "gcs" or "gcd".
        signals: one for each of ``TYPES``, or for the first two.
    """

    format: str
    signals: tuple[Signal, ...]

    def get(self, consent_type: str) -> Signal:
        """What was said about one of ``TYPES``; UNSET when this parameter does not speak of it."""
        at = TYPES.index(consent_type)
        return self.signals[at] if at < len(self.signals) else Signal.UNSET


_DIGITS = {"1": Signal.GRANTED, "0": Signal.DENIED, "-": Signal.UNSET}
_LETTERS = {
    "l": Signal.UNSET,
    "p": Signal.DENIED_BY_DEFAULT,
    "q": Signal.DENIED,  # denied by default, denied again
    "m": Signal.DENIED,
    "u": Signal.DENIED,  # granted by default, then denied
    "t": Signal.GRANTED_BY_DEFAULT,
    "r": Signal.GRANTED,  # denied by default, then granted
    "n": Signal.GRANTED,
    "v": Signal.GRANTED,  # granted by default, granted again
}
_GCS_CHARS = 4
_GCD = re.compile(r"1[0-9]([A-Za-z])[0-9]([A-Za-z])[0-9]([A-Za-z])[0-9]([A-Za-z])[0-9](?:[A-Za-z][0-9]){0,8}").fullmatch
_GCD_CHARS = 26
_GCD_LEAST = 10


def decode_gcs(text: str) -> ConsentMode | Malformed:
    """Decodes a ``gcs`` parameter."""
    if len(text) != _GCS_CHARS or text[:2] != "G1" or text[2] not in _DIGITS or text[3] not in _DIGITS:
        return Malformed(_flaw(text, "G1", _GCS_CHARS))
    return ConsentMode("gcs", (_DIGITS[text[2]], _DIGITS[text[3]]))


@lru_cache(1024)
def _read_gcd(text: str) -> ConsentMode | Malformed:
    match = _GCD(text)
    if match is None:
        return Malformed(_flaw(text, "1", _GCD_LEAST))
    return ConsentMode("gcd", tuple(_LETTERS.get(letter, Signal.UNKNOWN) for letter in match.groups()))


def decode_gcd(text: str) -> ConsentMode | Malformed:
    """Decodes a ``gcd`` parameter; answers are remembered."""
    return _read_gcd(text) if len(text) <= _GCD_CHARS else Malformed(_flaw(text, "1", _GCD_LEAST))


def forget_gcd() -> None:
    """Empties the memory of decoded strings (for measurements)."""
    _read_gcd.cache_clear()


def _flaw(text: str, start: str, chars: int) -> Flaw:
    if not text:
        return Flaw.EMPTY
    if len(text) > MAX_CHARS:
        return Flaw.TOO_LONG
    if not text.startswith(start):
        return Flaw.TRUNCATED if start.startswith(text) else Flaw.VERSION
    return Flaw.TRUNCATED if len(text) < chars else Flaw.VALUE
