"""Times that vendors send as numbers or in their own text forms, to microseconds since the epoch, UTC.

Rules: the unit is the vendor's, told by the function; a number between two units of the same field is decided by size
(``seconds_or_millis``); booleans, NaN, times before 1970 and after 9999 are no times. A float
is the shortest decimal that stands for it; what is finer than a microsecond is cut.
"""

import math
import re
from decimal import Decimal
from typing import Any

from tamis.envelopes import instant

SECOND = 1_000_000
MILLISECOND = 1_000
_END = 253_402_300_800 * SECOND  # the year 10000
_LEAST_MILLIS = 100_000_000_000  # as seconds the year 5138, as milliseconds 1973
_ZONELESS = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:[.,]\d{1,18})?", re.ASCII)
_NUMBER = re.compile(r"\d{1,17}(?:\.\d{1,18})?", re.ASCII)
_FRACTION = re.compile(r"[.,](\d{3})(\d{1,3})", re.ASCII)


def number(value: Any, unit: int) -> int | None:
    """Microseconds of a JSON number.

    Args:
        value: anything; what is no number gives None.
        unit: microseconds in one of it.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if not 0 <= value < _END // unit:
        return None
    return value * unit if isinstance(value, int) else int(Decimal(repr(value)) * unit)


def millis(value: Any) -> int | None:
    """A number of milliseconds."""
    return number(value, MILLISECOND)


def seconds_or_millis(value: Any) -> int | None:
    """A number of seconds, or of milliseconds when it is too large for seconds."""
    large = isinstance(value, int | float) and value >= _LEAST_MILLIS
    return number(value, MILLISECOND if large else SECOND)


def digits(value: Any, unit: int) -> int | None:
    """Text that holds a decimal number of units."""
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        return None
    return number(float(value) if "." in value else int(value), unit)


def text(value: Any) -> int | None:
    """RFC 3339 text."""
    if not isinstance(value, str):
        return None
    found = instant.parse(value)
    if found is None:
        return None
    finer = _FRACTION.search(value)
    return found * MILLISECOND + (int(finer[2].ljust(3, "0")) if finer else 0)


def utc_text(value: Any) -> int | None:
    """The same, and a time without a zone is UTC (for vendors whose form says so)."""
    if isinstance(value, str) and _ZONELESS.fullmatch(value):
        return text(value + "Z")
    return text(value)
