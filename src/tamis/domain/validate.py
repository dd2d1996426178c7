"""Checks of an event against the moment it was received.

Rules: an event from more than ``MAX_AHEAD_MS`` in the future is invalid, because no clock skew explains it and it would
stay "not late" for ever. An event without a time of its own passes: the time of receipt stands in.
Not handled here: lateness, which each destination judges for itself.
"""

from tamis.domain.event import Event, Invalid
from tamis.domain.outcome import InvalidReason

MAX_AHEAD_MS = 3_600_000
_FROM_THE_FUTURE = Invalid(InvalidReason.FUTURE.value, "$.timestamp")


def check_time(event: Event, received_at: int) -> Invalid | None:
    """Refuse an event from the future.

    Args:
        event: a decoded event.
        received_at: when the record reached the broker, ms.

    Returns:
        None when the event may pass.
    """
    occurred = event.occurred_at
    if occurred is not None and occurred > received_at + MAX_AHEAD_MS:
        return _FROM_THE_FUTURE
    return None
