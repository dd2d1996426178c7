"""One consent string of any format, read: names of formats, how to tell them apart, and the decoder of each.

Rules: a format is told from the first characters alone (TC strings begin with their version as ``C``, GPP strings with
their type as ``D``, ``G1`` is ``gcs``, four characters from a digit on are US Privacy, more are ``gcd``); what a string
really is only its decoder says.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum

from tamis.domain.consent.strings.consent_mode import ConsentMode, decode_gcd, decode_gcs
from tamis.domain.consent.strings.flaw import MAX_CHARS, Flaw, Malformed
from tamis.domain.consent.strings.gpp import GppString, decode_gpp
from tamis.domain.consent.strings.tcf import TcString, decode_tcf
from tamis.domain.consent.strings.usp import UspString, decode_usp


class Format(StrEnum):
    """The formats of consent strings."""

    TCF = "tcf"
    GPP = "gpp"
    USP = "usp"
    GCS = "gcs"
    GCD = "gcd"


Decoded = TcString | GppString | UspString | ConsentMode

_DECODERS: Mapping[Format, Callable[[str], Decoded | Malformed]] = {
    Format.TCF: decode_tcf,
    Format.GPP: decode_gpp,
    Format.USP: decode_usp,
    Format.GCS: decode_gcs,
    Format.GCD: decode_gcd,
}
_USP_CHARS = 4
_DIGITS = frozenset("0123456789")


def format_of(text: str) -> Format | None:
    """The format a string claims by how it begins; None when it is none."""
    if text[:1] == "D" or "~" in text:
        return Format.GPP
    if text[:2] == "G1":
        return Format.GCS
    if text[:1] in _DIGITS:
        return Format.USP if len(text) <= _USP_CHARS else Format.GCD
    return Format.TCF if text[:1] in {"B", "C"} else None


def read(text: str, wanted: Format | None = None) -> Decoded | Malformed:
    """Decodes ``text`` as ``wanted``, or as what it looks like."""
    found = wanted or format_of(text)
    if found is not None:
        return _DECODERS[found](text)
    if len(text) > MAX_CHARS:
        return Malformed(Flaw.TOO_LONG)
    return Malformed(Flaw.FORMAT if text else Flaw.EMPTY)
