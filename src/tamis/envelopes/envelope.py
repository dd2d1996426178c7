"""What every envelope is given and gives back.

Rules: an envelope is pure and never raises for any bytes; ``None`` means "not my shape" and the next one is asked; one
entry per event of the body, in order, so an invalid item does not spoil the others; a body that cannot be opened is one
``Invalid``. Paths hold field names of the vendor's specification and numbers, never a key or value a sender chose.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Protocol, TypeAlias

import msgspec

from tamis.domain.event import Event, Invalid
from tamis.envelopes.ids import IdMemo

Headers: TypeAlias = Sequence[tuple[str, bytes | None]]
Entry: TypeAlias = Event | Invalid
Entries: TypeAlias = list[Entry] | Invalid


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much one record may hold.

    Attributes:
        max_record_bytes: larger records are refused unread.
        max_events_per_record: bodies with more events are refused whole.
        max_depth: nesting of objects and arrays within one event, the event's own object included.
    """

    max_record_bytes: int = 256 * 1024
    max_events_per_record: int = 500
    max_depth: int = 64


class SingleId(StrEnum):
    """What an id is that nothing tells to be a person's or a device's."""

    NOBODY = "nobody"
    PERSON = "person"
    DEVICE = "device"


class Workbench(msgspec.Struct, frozen=True, kw_only=True):
    """What envelopes share.

    Attributes:
        limits: see ``Limits``. derive_id: keyed digest (22 characters) for events that carry no id. ids: id as sent ->
        canonical id or None. single_id: see ``SingleId``. as_sent: events are made for showing: times are the client's,
        uncorrected, and a single id stands in the context.
    """

    limits: Limits
    derive_id: Callable[[bytes], str]
    ids: Mapping[str | int, str | None] = msgspec.field(default_factory=IdMemo)
    single_id: SingleId = SingleId.NOBODY
    as_sent: bool = False


class Envelope(Protocol):
    """One vendor's way to put events into bytes."""

    def decode(self, value: bytes, headers: Headers, received_at: int) -> Entries | None:
        """The events of a body.

        Args:
            value: not empty, within the size limit, valid UTF-8.
            headers: record headers; ``endpoint`` holds the address the body was posted to, where it matters.
            received_at: ms; enters derived ids of events without a time.

        Returns:
            At least one entry, or one Invalid, or None when the body is another vendor's.
        """
