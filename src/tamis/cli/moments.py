"""Times as people write them on a command line: RFC 3339 with a zone, ``now``, or how long ago (``6h``)."""

import contextlib
import time
from datetime import datetime
from typing import Any

import click

from tamis.bundles.durations import milliseconds


def moment(text: str, now: int) -> int | None:
    """The time in ms, None when it is none; ``now`` in ms."""
    if text == "now":
        return now
    with contextlib.suppress(ValueError):
        return now - milliseconds(text)
    with contextlib.suppress(ValueError):
        found = datetime.fromisoformat(text)
        return None if found.tzinfo is None else round(found.timestamp() * 1000)
    return None


class Moment(click.ParamType):
    """An option that is a time; gives ms."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """See ``click.ParamType.convert``."""
        if isinstance(value, int):
            return value
        found = moment(str(value), time.time_ns() // 1_000_000)
        if found is None:
            self.fail(f"{value} is neither a time with a zone (2026-11-20T00:00:00Z) nor how long ago (6h)", param, ctx)
        return found


def utc(ms: int) -> str:
    """A time as people read it, UTC, to the second."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(ms // 1000))
