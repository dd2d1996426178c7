"""Requests to decode, from files and from lines of JSON.

Rules: a file holds one request as an object with ``body``, and where they matter ``headers`` and ``endpoint``; a line
is an object with ``value`` (text, or JSON as it stands), ``headers`` and ``endpoint``. What is neither gives a reason
and a path. ``body_encoding`` (``value_encoding``) ``base64`` marks a body that is no text.
"""

from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Sequence
from typing import Any

import msgspec

from tamis.domain.event import Invalid
from tamis.domain.outcome import InvalidReason
from tamis.envelopes import refusal


class _File(msgspec.Struct):
    body: msgspec.Raw
    headers: dict[str, Any] | None = None
    endpoint: str | None = None
    body_encoding: str | None = None


class _Line(msgspec.Struct):
    value: msgspec.Raw
    headers: dict[str, Any] | None = None
    endpoint: str | None = None
    value_encoding: str | None = None


_read_file = msgspec.json.Decoder(_File).decode
_read_line = msgspec.json.Decoder(_Line).decode
_read_any = msgspec.json.Decoder().decode

Request = tuple[bytes, Sequence[tuple[str, bytes]]]


def of_file(content: bytes) -> Request | Invalid:
    """The request a file holds."""
    return _request(_read_file, content, "body")


def of_line(content: bytes) -> Request | Invalid:
    """The request a line holds."""
    return _request(_read_line, content, "value")


def headers_of(headers: dict[str, Any], endpoint: str | None) -> Sequence[tuple[str, bytes]]:
    """Record headers of a request: its own, and the address it was posted to."""
    found = [(name, str(value).encode("utf-8", "replace")) for name, value in headers.items() if value is not None]
    if endpoint and not any(name.lower() == "endpoint" for name, _ in found):
        found.append(("endpoint", endpoint.encode("utf-8", "replace")))
    return found


def _request(read: Any, content: bytes, field: str) -> Request | Invalid:
    try:
        found = read(content)
    except msgspec.ValidationError as error:
        missing = f"missing required field `{field}`" in str(error)
        return refusal.refuse(InvalidReason.MISSING_FIELD, f"$.{field}") if missing else refusal.wrong_type(error)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return refusal.NOT_JSON
    except RecursionError:
        return refusal.TOO_DEEP
    value = _value(getattr(found, field), getattr(found, f"{field}_encoding"), f"$.{field}")
    return value if isinstance(value, Invalid) else (value, headers_of(found.headers or {}, found.endpoint))


def _value(raw: msgspec.Raw, encoding: str | None, path: str) -> bytes | Invalid:
    plain = bytes(raw)
    if plain == b"null":
        return b""
    if not plain.startswith(b'"'):
        return plain
    text: str = _read_any(plain)
    if encoding != "base64":
        return text.encode("utf-8", "replace")
    try:
        return a2b_base64(text, strict_mode=True)
    except (Base64Error, ValueError):
        return refusal.refuse(InvalidReason.WRONG_TYPE, path)
