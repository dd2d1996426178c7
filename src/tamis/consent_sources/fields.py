"""Single fields of consent payloads, checked.

Rules: a field is read in its documented type or the statement is refused (``Refused``): a guess could turn a no into a
yes. An id may be a number, as clients send them. Times: RFC 3339 with a zone, or a whole number of milliseconds; a
number so small that it looks like seconds is refused, because a refusal in 1970 would lose against every grant. Texts
that are only labels are kept when they are short and plain, else dropped.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from tamis.consent_sources.statement import Statement
from tamis.domain.event import Invalid
from tamis.domain.identity import canonical
from tamis.domain.outcome import InvalidReason

EARLIEST_MS = 100_000_000_000  # 1973: seconds since the epoch stay below this until the year 5138
LATEST_MS = 253_402_300_799_999
MAX_ROWS = 1_000
MAX_SEQ = (1 << 63) - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+-]{0,63}", re.ASCII)


class Refused(Exception):  # noqa: N818 - carries an expected fate to the adapter's edge, no fault
    """A field is not as documented.

    Args:
        why: reason and path.
    """

    def __init__(self, why: Invalid) -> None:
        super().__init__(why.reason)
        self.why = why


def refuse(reason: InvalidReason, path: str) -> NoReturn:
    """Raise ``Refused``."""
    raise Refused(Invalid(reason, path))


def table(value: Any, path: str) -> dict[str, Any]:
    """A JSON object."""
    if value is None:
        refuse(InvalidReason.MISSING_FIELD, path)
    if not isinstance(value, dict):
        refuse(InvalidReason.WRONG_TYPE, path)
    return value


def identity(value: Any, path: str) -> str | None:
    """An id in its one spelling; None when absent or a placeholder."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        refuse(InvalidReason.WRONG_TYPE, path)
    return canonical(str(value))


def moment(value: Any, path: str) -> int | None:
    """Milliseconds since the epoch; None when absent."""
    if value is None:
        return None
    found = value if isinstance(value, int) and not isinstance(value, bool) else _instant(value)
    if found is None or not EARLIEST_MS <= found <= LATEST_MS:
        refuse(InvalidReason.BAD_TIME, path)
    return found


def _instant(value: Any) -> int | None:
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
        return (found - _EPOCH) // _MILLISECOND if found.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def sequence(value: Any, path: str) -> int:
    """A sequence number; 0 when absent."""
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_SEQ:
        refuse(InvalidReason.WRONG_TYPE, path)
    return value


def epoch(value: Any, path: str) -> int | None:
    """Milliseconds since the epoch of a number, or a text of digits, in seconds or milliseconds; told by its size.

    Only where a vendor does not state the unit: a time in milliseconds before 1973 would be read as seconds.
    """
    if value is None or value == "":
        return None
    number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value
    if isinstance(number, bool) or not isinstance(number, int):
        return moment(value, path)
    return moment(number if number >= EARLIEST_MS else number * 1000, path)


def attempt(read: Callable[[dict[str, Any]], Statement], body: Any, path: str = "$") -> Statement | Invalid:
    """One statement, or why it cannot be read."""
    try:
        return read(table(body, path))
    except Refused as refused:
        return refused.why


def rows(value: Any, path: str, most: int = MAX_ROWS) -> list[dict[str, Any]]:
    """A list of JSON objects; an absent one is empty."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        refuse(InvalidReason.WRONG_TYPE, path)
    if len(value) > most:
        refuse(InvalidReason.TOO_MANY_EVENTS, path)
    return value


def name(value: Any, path: str) -> str:
    """The id of a category: a text, or a number as clients send them."""
    if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
        refuse(InvalidReason.WRONG_TYPE, path)
    return str(value)


def label(value: Any) -> str | None:
    """A short plain text, else None."""
    return value if isinstance(value, str) and _LABEL.fullmatch(value) else None
