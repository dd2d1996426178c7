"""What a vendor's reader is, and how several of them become one envelope.

Rules: a record is opened once (``body``), then each vendor is asked in the order of the registry whether the body is
its; shapes are told apart by fields that only one vendor has, so the order decides nothing between well-formed bodies.
Readers are pure and total.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from tamis.domain.event import Invalid
from tamis.domain.outcome import InvalidReason
from tamis.envelopes import refusal
from tamis.envelopes.body import Body, open_body
from tamis.envelopes.envelope import Entries, Entry, Headers, Workbench


class Reader(Protocol):
    """Reads one vendor's bodies."""

    def claims(self, body: Body) -> bool:
        """Whether the body was meant for this vendor."""

    def read(self, body: Body) -> Entries:
        """Its events; a body in no form of the vendor's is one Invalid."""


class Vendors:
    """An envelope of several readers; ``None`` when no one claims the body.

    Args:
        readers: asked in this order.
        sure: the topic is known to hold the only reader's bodies, so it is not asked.
    """

    __slots__ = ("_readers", "_sure")

    def __init__(self, readers: Sequence[Reader], *, sure: bool = False) -> None:
        self._readers = tuple(readers)
        self._sure = sure

    def decode(self, value: bytes, headers: Headers, received_at: int) -> Entries | None:
        """See ``Envelope.decode``; the value may be empty where everything travelled in the address."""
        body = open_body(value, headers, received_at)
        for reader in self._readers:
            if self._sure or reader.claims(body):
                return reader.read(body)
        return None


def each(bench: Workbench, items: Any, root: str, read: Callable[[Any, str, int], Entry]) -> Entries:
    """One entry for each item of a list; a list that is missing, empty, too long or none is one Invalid at ``root``."""
    if items is None:
        return refusal.refuse(InvalidReason.MISSING_FIELD, root)
    if not isinstance(items, list):
        return refusal.refuse(InvalidReason.WRONG_TYPE, root)
    if not items:
        return refusal.refuse(InvalidReason.EMPTY, root)
    if len(items) > bench.limits.max_events_per_record:
        return refusal.refuse(InvalidReason.TOO_MANY_EVENTS, root)
    return [read(item, f"{root}[{index}]", index) for index, item in enumerate(items)]


def unreadable(body: Body) -> Invalid:
    """Why a body in none of the vendor's forms is refused."""
    return refusal.UNKNOWN if body.is_json else body.refusal
