"""The action ``bucket``: a number or a time, rounded down to the start of its bucket.

Rules: ``size`` takes numbers and gives the lower edge of the bucket, exactly for integers; ``every_ms`` takes times
(RFC 3339 text, taken as UTC without an offset, or milliseconds since the epoch) and gives milliseconds. Anything else
is left out.
"""

import math
from datetime import UTC, datetime
from typing import Any

from tamis.domain.minimise.action import Action, Options, Scalar
from tamis.domain.minimise.keep import MAX_INT, MIN_INT

MAX_TIME_CHARS = 40


def bucket(options: Options) -> Action:
    """Makes the action; one of ``size`` (width, a positive number) and ``every_ms`` (width, ms)."""
    if "every_ms" in options:
        return _times(options["every_ms"])
    return _numbers(options["size"])


def _numbers(size: float) -> Action:
    def lower_edge(value: Any) -> Scalar | None:
        if type(value) is int and MIN_INT <= value <= MAX_INT and type(size) is int:
            edge = value // size * size
            return edge if edge >= MIN_INT else None
        if type(value) is float or (type(value) is int and MIN_INT <= value <= MAX_INT):
            return _finite(value, size)
        return None

    return lower_edge


def _finite(value: float, size: float) -> Scalar | None:
    steps = value / size
    if not math.isfinite(steps):
        return None
    edge = math.floor(steps) * size
    return edge if MIN_INT <= edge <= MAX_INT else None


def _times(every_ms: int) -> Action:
    def start(value: Any) -> Scalar | None:
        at = value if type(value) is int else _parse(value)
        return at // every_ms * every_ms if at is not None and 0 <= at <= MAX_INT else None

    return start


def _parse(value: Any) -> int | None:
    if type(value) is not str or len(value) > MAX_TIME_CHARS:
        return None
    try:
        moment = datetime.fromisoformat(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return math.floor(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
