"""JSON inside a text field: as it is, or in base64 of either alphabet.

Rules: total; padding may be missing; a space is a "+" that a form swallowed; some browser clients encode characters
beyond the basic plane as two surrogates of three bytes each (CESU-8, Unicode TR 26): such pairs are read as the
character they stand for, single surrogates are refused.
"""

from binascii import Error as Base64Error
from binascii import a2b_base64
from typing import Any

import msgspec

from tamis.envelopes import refusal

_STANDARD = str.maketrans({" ": "+", "-": "+", "_": "/", "\r": None, "\n": None, "=": None})
_read_json = msgspec.json.Decoder().decode


def parse_json(value: bytes | str) -> Any:
    """The decoded value, or Invalid. Integers are exact."""
    try:
        return _read_json(value)
    except msgspec.ValidationError as error:
        return refusal.wrong_type(error)
    except RecursionError:
        return refusal.TOO_DEEP
    except (msgspec.DecodeError, UnicodeError):
        return refusal.NOT_JSON


def open_data(data: str) -> Any:
    """The decoded JSON, or Invalid."""
    if data.lstrip()[:1] in ("{", "["):
        return parse_json(data)
    text = data.translate(_STANDARD)
    try:
        raw = a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)
    except (Base64Error, ValueError):
        return refusal.NOT_JSON
    try:
        return parse_json(raw.decode())
    except UnicodeDecodeError:
        return _joined(raw)


def _joined(raw: bytes) -> Any:
    try:
        halves = raw.decode("utf-8", "surrogatepass")
        return parse_json(halves.encode("utf-16-le", "surrogatepass").decode("utf-16-le"))
    except UnicodeDecodeError:
        return refusal.NOT_UTF8
