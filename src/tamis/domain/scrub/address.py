"""Addresses of networks and devices: IPv4, IPv6, MAC.

Rules: dotted decimal with four parts up to 255 (a version number of that form goes too); IPv6 as RFC 4291 writes it,
told from times of day by being parsed; six pairs of hexadecimal digits are the address of a device (EUI-48).
"""

import re
from ipaddress import IPv6Address

IP = "[ip]"
DEVICE = "[device]"
_PART = r"(?:25[0-5]|2[0-4]\d|1\d\d|0{0,2}\d|0?\d\d)"
_IPV4 = re.compile(rf"(?<![\d.]){_PART}(?:\.{_PART}){{3}}(?!\d|\.\d)", re.ASCII)
_COLONS = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]++(?:\.\d{1,3}){0,3}(?:%\w{1,16})?(?![\w:])")
_MAC = re.compile(r"(?<![0-9A-Fa-f:-])[0-9A-Fa-f]{2}(?:([:-])[0-9A-Fa-f]{2})(?:\1[0-9A-Fa-f]{2}){4}(?![0-9A-Fa-f:-])")
_LONGEST = 45


def scrub_addresses(text: str) -> str:
    """The text with addresses of networks and devices replaced."""
    if ":" in text or "-" in text:
        text = _MAC.sub(DEVICE, text)
    if text.count(":") > 1:
        text = _COLONS.sub(_judged, text)
    return _IPV4.sub(IP, text) if text.count(".") > 2 else text  # noqa: PLR2004 - the dots of an address


def _judged(found: re.Match[str]) -> str:
    whole = found[0]
    candidate, tail = whole.rstrip(":"), ""
    if whole.endswith("::") and candidate:
        candidate = whole
    elif candidate != whole:
        tail = whole[len(candidate) :]
    return IP + tail if _is_ipv6(candidate) else whole


def _is_ipv6(text: str) -> bool:
    if text.count(":") < 2 or len(text) > _LONGEST:  # noqa: PLR2004 - the fewest an address has
        return False
    try:
        IPv6Address(text.partition("%")[0])
    except ValueError:
        return False
    return text != "::"
