"""Values of ``review.late``: events that came too late for a destination, for people to look at.

Rules: nothing of the event itself: its place in ``events.raw``, the rule, when it happened to the minute, when it came,
and which destinations it was too late for. The record's key and ``id`` are the keyed tag of its leaf (``eid``), so the
decision can be looked up.
"""

import msgspec

from tamis.domain.route import Route

_MINUTE_MS = 60_000


class LateEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event that one destination or more did not get because it came too late.

    Attributes:
        id: ``eid`` of its audit leaf.
        position: topic/partition/offset/index of its source.
        rule: tagging rule id, "" when untagged.
        occurred_at: when it happened, ms, rounded down to the minute.
        received_at: when it was received, ms.
        destinations: those it was too late for -> how late an event may be there, ms.
        v: schema version.
    """

    id: str
    position: str
    rule: str
    occurred_at: int
    received_at: int
    destinations: dict[str, int]
    v: int = 1


_encode = msgspec.json.Encoder().encode


def late_record(
    tag: bytes, position: str, rule: str, route: Route, occurred_at: int, now: int
) -> tuple[bytes | None, bytes]:
    """Key and value.

    Args:
        tag: of the event.
        position: see ``LateEvent``.
        rule: likewise.
        route: the open destinations, of which one at least is too late.
        occurred_at: when it happened, ms.
        now: when it was received, ms.
    """
    late = {
        leg.destination.id: leg.destination.max_lateness_ms
        for leg in route.legs
        if now - occurred_at > leg.destination.max_lateness_ms
    }
    entry = LateEvent(
        id=tag.hex(), position=position, rule=rule, occurred_at=occurred_at - occurred_at % _MINUTE_MS,
        received_at=now, destinations=late,
    )  # fmt: skip
    return entry.id.encode(), _encode(entry)
