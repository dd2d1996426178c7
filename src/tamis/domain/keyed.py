"""Keyed pseudorandom functions on SHA-256, pre-keyed so that one call costs two short hashes.

Rules: HMAC-SHA256 (RFC 2104, FIPS 198-1) bit for bit; keys are 32 bytes; a text output is the base64url form
(RFC 4648 section 5, no padding) of the first 16 bytes: 22 characters. Never a plain digest of an identity.
"""

from binascii import b2a_base64
from collections.abc import Callable, Iterable
from hashlib import sha256

_BLOCK = 64
_URLSAFE = bytes.maketrans(b"+/", b"-_")
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))
TOKEN_CHARS = 22


def hmac(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA256 once: for keys that belong to one subject, where keeping two hash states would cost a kilobyte.

    Args:
        key: at most 64 bytes.
        message: any bytes.

    Raises:
        ValueError: the key is longer than a block or empty.
    """
    if not 0 < len(key) <= _BLOCK:
        raise ValueError(f"key must have 1 to {_BLOCK} bytes")
    block = key.ljust(_BLOCK, b"\0")
    return sha256(block.translate(_OUTER) + sha256(block.translate(_INNER) + message).digest()).digest()


def pads(key: bytes) -> tuple[bytes, bytes]:
    """Inner and outer block of HMAC-SHA256 under ``key`` (at most 64 bytes), for ``hmac_hex``: 130 bytes to keep."""
    block = key.ljust(_BLOCK, b"\0")
    return block.translate(_INNER), block.translate(_OUTER)


def hmac_hex(keyed: tuple[bytes, bytes], message: bytes) -> str:
    """HMAC-SHA256 of ``message`` under ``pads(key)``: its first 16 bytes as 32 hexadecimal characters."""
    inner, outer = keyed
    return sha256(outer + sha256(inner + message).digest()).hexdigest()[:32]


def mac_all(key: bytes, size: int) -> Callable[[Iterable[bytes]], list[bytes]]:
    """As ``mac`` over many messages in one call, each tag cut to ``size`` bytes."""
    inner, outer = pads(key)
    hasher = sha256
    inner_copy, outer_copy = hasher(inner).copy, hasher(outer).copy

    def tags(messages: Iterable[bytes]) -> list[bytes]:
        found = []
        for message in messages:
            hashed, tag = inner_copy(), outer_copy()
            hashed.update(message)
            tag.update(hashed.digest())
            found.append(tag.digest()[:size])
        return found

    return tags


def mac(key: bytes, prefix: bytes = b"") -> Callable[[bytes], bytes]:
    """HMAC-SHA256 under ``key`` of ``prefix + message`` as a function of the message.

    Args:
        key: at most 64 bytes.
        prefix: hashed once, here.

    Raises:
        ValueError: the key is longer than a block or empty.
    """
    if not 0 < len(key) <= _BLOCK:
        raise ValueError(f"key must have 1 to {_BLOCK} bytes")
    block = key.ljust(_BLOCK, b"\0")
    inner_copy = sha256(block.translate(_INNER) + prefix).copy
    outer_copy = sha256(block.translate(_OUTER)).copy

    def tag(message: bytes) -> bytes:
        inner = inner_copy()
        inner.update(message)
        outer = outer_copy()
        outer.update(inner.digest())
        return outer.digest()

    return tag


def token(key: bytes, prefix: bytes = b"") -> Callable[[bytes], str]:
    """As ``mac``, giving 22 base64url characters (16 bytes)."""
    tag = mac(key, prefix)

    def text(message: bytes) -> str:
        return b2a_base64(tag(message), newline=False).translate(_URLSAFE)[:TOKEN_CHARS].decode()

    return text


def hex_token(key: bytes, prefix: bytes = b"") -> Callable[[bytes], str]:
    """As ``mac``, giving the first 16 bytes as 32 hexadecimal characters: the cheapest text form."""
    block = key.ljust(_BLOCK, b"\0")
    inner_copy = sha256(block.translate(_INNER) + prefix).copy
    outer_copy = sha256(block.translate(_OUTER)).copy

    def text(message: bytes) -> str:
        inner = inner_copy()
        inner.update(message)
        outer = outer_copy()
        outer.update(inner.digest())
        return outer.hexdigest()[:32]

    return text


def base64url(raw: bytes) -> str:
    """Base64url without padding."""
    return b2a_base64(raw, newline=False).translate(_URLSAFE).rstrip(b"=").decode()
