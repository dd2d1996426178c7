"""Bytes of a record of ``events.raw`` to events: the one way into the core.

Rules: never raises for any bytes; at least one result a record; a record without a value, above the size limit, not
UTF-8 or not JSON is one ``Invalid``. Decided here: the body must be plain UTF-8 JSON as RFC 8259 has it, so a byte
order mark, NaN, numbers outside double range, bytes after the value and unpaired surrogate escapes are refused; of a
repeated key the last value counts; a gzip body is refused (Kafka compresses by itself, and opening one would let a
small record become a huge one). Integers of up to 4,300 digits stay exact, longer ones are refused.
"""

import msgspec

from tamis.domain.keyed import token
from tamis.envelopes import refusal
from tamis.envelopes.envelope import Entries, Headers, Limits, Workbench
from tamis.envelopes.registry import DETECTED, FIXED

_DERIVED_ID = b"tamis/event-id/v1\0"
_read_any = msgspec.json.Decoder().decode


class Decoder:
    """Decodes records, detecting the vendor of each or fixed to one.

    A derived event id is HMAC-SHA256, 22 base64url characters, over the JSON array of vendor, type, event, name,
    anonymousId, userId, time as sent (time of receipt when none was), index in the body and properties: equal for a
    repeat of the same bytes, different for two events that differ in anything but transport fields.

    Args:
        event_id_key: 32 bytes for derived ids (``KeyProvider.derive("event-id")``).
        limits: sizes.
        vendor: name of the only vendor of the topic, or None to detect.

    Raises:
        ValueError: no such vendor.
    """

    __slots__ = ("_envelopes", "_max_bytes")

    def __init__(self, event_id_key: bytes, limits: Limits | None = None, vendor: str | None = None) -> None:
        limits = limits or Limits()
        bench = Workbench(limits=limits, derive_id=token(event_id_key, _DERIVED_ID))
        if vendor is not None and vendor not in FIXED:
            raise ValueError(f"unknown vendor {vendor!r}; known: {', '.join(sorted(FIXED))}")
        makers = DETECTED if vendor is None else (FIXED[vendor],)
        self._envelopes = tuple(make(bench).decode for make in makers)
        self._max_bytes = limits.max_record_bytes

    def decode(self, value: bytes | None, headers: Headers, received_at: int) -> Entries:
        """What a record holds.

        Args:
            value: the record's value.
            headers: the record's headers.
            received_at: ms.

        Returns:
            One entry per event of the body, in order; or one Invalid for a body that cannot be opened.
        """
        if not value:
            return refusal.EMPTY
        if len(value) > self._max_bytes:
            return refusal.TOO_LARGE
        if not value.isascii() and not _is_utf8(value):
            return refusal.NOT_UTF8
        for decode in self._envelopes:
            entries = decode(value, headers, received_at)
            if entries is not None:
                return entries
        return _unclaimed(value)


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _unclaimed(value: bytes) -> Entries:
    try:
        _read_any(value)
    except msgspec.ValidationError as error:
        return refusal.wrong_type(error)
    except RecursionError:
        return refusal.TOO_DEEP
    except (msgspec.DecodeError, UnicodeDecodeError):
        return refusal.NOT_JSON
    return refusal.UNKNOWN
