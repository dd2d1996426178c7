"""US Privacy strings, also GPP section 6: four characters, e.g. ``1YNN``.

Rules: version 1, then notice, opt-out of sale and LSPA coverage, each ``Y``, ``N`` or ``-`` (not applicable).
Source: IAB Tech Lab, "US Privacy String", version 1.
"""

import msgspec

from tamis.domain.consent.strings.flaw import MAX_CHARS, Flaw, Malformed

NAME = "uspv1"
_CHARS = 4
_ANSWERS = frozenset("YN-")


class UspString(msgspec.Struct, frozen=True, gc=False):
    """A decoded US Privacy string; each answer is "Y", "N" or "-"."""

    notice: str
    opt_out_sale: str
    lspa_covered: str


def decode_usp(text: str) -> UspString | Malformed:
    """Decodes a US Privacy string."""
    if len(text) != _CHARS or text[0] != "1" or not _ANSWERS.issuperset(text[1:]):
        return Malformed(_flaw(text))
    return UspString(text[1], text[2], text[3])


def _flaw(text: str) -> Flaw:
    if not text:
        return Flaw.EMPTY
    if len(text) > MAX_CHARS:
        return Flaw.TOO_LONG
    if text[0] != "1":
        return Flaw.VERSION
    return Flaw.TRUNCATED if len(text) < _CHARS and _ANSWERS.issuperset(text[1:]) else Flaw.VALUE
