"""RFC 3339 text to milliseconds since the epoch, UTC.

Rules: a zone is required ("Z" or an offset, with or without colon): a time without one is not guessed; any precision is
read and cut to milliseconds; second 60 (a leap second) counts as the first moment of the next minute; years before 1970
are no time of an event. Not handled here: numbers as times, whose unit each vendor's envelope knows.
"""

import re
from datetime import UTC, datetime, timedelta

_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,18}))?(?:[Zz]|([+-])(\d\d):?(\d\d))", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_LEAP_SECOND = 60
_MEMO_LIMIT = 8192

# Neighbours in a stream share their second, so the common form costs two look-ups. Values depend on the text alone.
_seconds: dict[str, int] = {}
_FRACTIONS = {f".{ms:03d}Z": ms for ms in range(1000)}


def parse(text: str) -> int | None:
    """Milliseconds since the epoch, or None when ``text`` is no RFC 3339 date-time from 1970 on."""
    try:
        return _seconds[text[:19]] + _FRACTIONS[text[19:]]
    except KeyError:
        return _remember(text)


def _remember(text: str) -> int | None:
    moment = _strict(text)
    if moment is not None and text[19:] in _FRACTIONS:
        if len(_seconds) >= _MEMO_LIMIT:
            _seconds.clear()
        _seconds[text[:19]] = moment - _FRACTIONS[text[19:]]
    return moment


def _strict(text: str) -> int | None:
    found = _RFC3339.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, sign, zone_hours, zone_minutes = found.groups()
    leap = int(second) == _LEAP_SECOND
    ms = 0 if leap or not fraction else int(fraction[:3].ljust(3, "0"))
    try:
        local = datetime(
            int(year), int(month), int(day), int(hour), int(minute), 59 if leap else int(second), tzinfo=UTC
        )
        offset = timedelta(hours=int(zone_hours or 0), minutes=int(zone_minutes or 0))
        utc = local + offset if sign == "-" else local - offset
    except (ValueError, OverflowError):
        return None
    moment = (utc - _EPOCH) // _MILLISECOND + ms + (1000 if leap else 0)
    return moment if moment >= 0 else None
