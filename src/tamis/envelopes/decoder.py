"""Bytes of a record of ``events.raw`` to events: the one way into the core.

Rules: never raises for any bytes; at least one result a record; a record without a value (unless its address holds the
event), above the size limit or not UTF-8 is one ``Invalid``. Decided here: JSON must be plain as RFC 8259 has it, so a
byte order mark, NaN, numbers outside double range, bytes after the value and unpaired surrogate escapes are refused; of
a repeated key the last value counts; a gzip body is opened as far as the size limit (``compressed``). Integers of up to
4,300 digits stay exact, longer ones are refused. A record without headers costs nothing for what headers may say.
"""

import msgspec

from tamis.domain.event import Invalid
from tamis.domain.keyed import token
from tamis.envelopes import refusal
from tamis.envelopes.beside import Decode, Order, agent_of, first_of, order_of, states_gpc, with_agent, with_gpc
from tamis.envelopes.compressed import MAGIC, opened
from tamis.envelopes.envelope import Entries, Headers, Limits, SingleId, Workbench
from tamis.envelopes.ids import IdMemo, SentIds
from tamis.envelopes.registry import DETECTED, FIXED

_DERIVED_ID = b"tamis/event-id/v1\0"
_read_any = msgspec.json.Decoder().decode


class Decoder:
    """Decodes records, detecting the vendor of each or fixed to one.

    A derived event id is HMAC-SHA256, 22 base64url characters, over a JSON array of what identifies the event (for
    calls: vendor, type, event, name, anonymousId, userId, time as sent, or time of receipt when none was, index in the
    body and properties; ``draft`` for the others): equal for a repeat of the same bytes, different for two events that
    differ in anything but transport fields.

    Args:
        event_id_key: 32 bytes for derived ids (``KeyProvider.derive("event-id")``).
        limits: sizes.
        vendor: name of the only vendor of the topic, or None to detect.
        single_id: what an id is that nothing tells to be a person's or a device's.
        as_sent: make events for showing (``Workbench``).

    Raises:
        ValueError: no such vendor.
    """

    __slots__ = ("_by_order", "_envelopes", "_max_bytes")

    def __init__(
        self,
        event_id_key: bytes,
        limits: Limits | None = None,
        vendor: str | None = None,
        *,
        single_id: SingleId = SingleId.NOBODY,
        as_sent: bool = False,
    ) -> None:
        limits = limits or Limits()
        bench = Workbench(
            limits=limits,
            derive_id=token(event_id_key, _DERIVED_ID),
            ids=SentIds() if as_sent else IdMemo(),
            single_id=single_id,
            as_sent=as_sent,
        )
        if vendor is not None and vendor not in FIXED:
            raise ValueError(f"unknown vendor {vendor!r}; known: {', '.join(sorted(FIXED))}")
        self._by_order: dict[Order, tuple[Decode, ...]] = {}
        if vendor is not None:
            self._by_order = dict.fromkeys(Order, (FIXED[vendor](bench).decode,))
        else:
            made = {make: make(bench).decode for makers in DETECTED.values() for make in makers}
            self._by_order = {order: tuple(made[make] for make in makers) for order, makers in DETECTED.items()}
        self._envelopes = self._by_order[Order.CALLS]
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
        if headers:
            return self._with_headers(value or b"", headers, received_at)
        if not value:
            return refusal.EMPTY
        if len(value) > self._max_bytes:
            return refusal.TOO_LARGE
        if not value.isascii() and not _is_utf8(value):
            return self._opened(value, headers, received_at) if value.startswith(MAGIC) else refusal.NOT_UTF8
        for decode in self._envelopes:
            entries = decode(value, headers, received_at)
            if entries is not None:
                return entries
        return _unclaimed(value)

    def _opened(self, value: bytes, headers: Headers, received_at: int) -> Entries:
        content = opened(value, self._max_bytes)
        if isinstance(content, Invalid):
            return content
        return refusal.NOT_UTF8 if content.startswith(MAGIC) else self.decode(content, headers, received_at)

    def _with_headers(self, value: bytes, headers: Headers, received_at: int) -> Entries:
        if len(value) > self._max_bytes:
            return refusal.TOO_LARGE
        if not value.isascii() and not _is_utf8(value):
            return self._opened(value, headers, received_at) if value.startswith(MAGIC) else refusal.NOT_UTF8
        entries = first_of(self._by_order[order_of(headers)], value, headers, received_at)
        if entries is None:
            entries = _unclaimed(value) if value else refusal.EMPTY
        entries = with_agent(entries, agent_of(headers))
        return with_gpc(entries) if states_gpc(headers) else entries


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
