"""Generalised network addresses: IPv4 to /24, IPv6 to /48.

Rules: strict forms only (RFC 791 dotted decimal without leading zeros, RFC 4291 text); an IPv4 address mapped into IPv6
counts as IPv4; anything else is left out.
"""

from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network
from typing import Any

MAX_CHARS = 45
_OCTETS = frozenset(map(str, range(256)))
_PARTS = 4
_KEPT_V6 = 48


def network(value: Any) -> str | None:
    """The /24 or /48 network of an address, e.g. ``203.0.113.0/24``."""
    if type(value) is not str or len(value) > MAX_CHARS:
        return None
    if ":" in value:
        return _network6(value)
    head, _, last = value.rpartition(".")
    return _network4(head) if last in _OCTETS else None


@lru_cache(maxsize=4096)
def _network4(head: str) -> str | None:
    parts = head.split(".")
    if len(parts) == _PARTS - 1 and _OCTETS.issuperset(parts):
        return f"{head}.0/24"
    return None


@lru_cache(maxsize=4096)
def _network6(text: str) -> str | None:
    try:
        address = IPv6Address(text.partition("%")[0])
    except ValueError:
        return None
    if address.ipv4_mapped:
        return network(str(address.ipv4_mapped))
    return str(IPv6Network((int(address), _KEPT_V6), strict=False))
