"""Has a conversion come by the time of day by which its owner expects it? No data is news of its own.

Rules: on each local day at least one event is expected before ``expected_by``; a day that was not watched from its
beginning is not judged, nor is a day of the week on which nothing had come in time the last time (a closed Sunday is
told once). Local time follows the zone, so clock changes move it against UTC.
Not handled here: how many events are usual (``count_detector``), what an alert says (``incidents``).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from river.base import AnomalyDetector

MINUTE_S = 60
WEEK = 7


class LocalMinute(NamedTuple):
    """Ordinal of the local day, and minutes since its midnight."""

    day: int
    minute: int


@lru_cache(maxsize=64)
def local_minute(minute: int, zone: str) -> LocalMinute:
    """The local time of an epoch minute.

    Raises:
        zoneinfo.ZoneInfoNotFoundError: no such time zone.
    """
    local = datetime.fromtimestamp(minute * MINUTE_S, UTC if zone == "UTC" else ZoneInfo(zone))
    return LocalMinute(local.toordinal(), local.hour * 60 + local.minute)


def minutes_of(time: str) -> int:
    """Minutes since midnight of ``HH:MM``.

    Raises:
        ValueError: not such a time.
    """
    hours, _, minutes = time.partition(":")
    found = int(hours) * 60 + int(minutes)
    if not (len(time) == len("HH:MM") and 0 <= int(minutes) < 60 and 0 <= found < 24 * 60):  # noqa: PLR2004 -- clock
        raise ValueError(f"{time!r} is not a time of day HH:MM")
    return found


class AbsenceState(msgspec.Struct, frozen=True, array_like=True):
    """The whole state of an ``AbsenceDetector``, version 1.

    Attributes:
        version: 1.
        day: local day being watched, -1 before any.
        days: how many were watched from their beginning, this one included.
        came: whether an event came today.
        in_time: whether one came before the expected time.
        missed: by day of the week, whether nothing came in time the last time.
    """

    version: int
    day: int
    days: int
    came: bool
    in_time: bool
    missed: tuple[bool, ...]


STATE_VERSION = 1
START = AbsenceState(STATE_VERSION, -1, 0, came=True, in_time=True, missed=(False,) * WEEK)
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(AbsenceState)


class AbsenceDetector(AnomalyDetector):
    """No event by a time of day, from ``{"t": epoch seconds, "y": count}``.

    The score is 1 from the expected time on until an event comes or the day ends, else 0. Observations without a time
    score 0 and teach nothing; one without a count has none.

    Args:
        expected_by: local time of day, ``HH:MM``.
        zone: IANA name of the time zone.

    Examples:
        >>> detector = AbsenceDetector("09:00")
        >>> for hour in range(24):
        ...     detector.learn_one({"t": 3_600 * hour, "y": 1})
        >>> detector.score_one({"t": 86_400 + 8 * 3_600, "y": 0})
        0.0
        >>> detector.score_one({"t": 86_400 + 9 * 3_600, "y": 0})
        1.0
        >>> detector.score_one({"t": 86_400 + 9 * 3_600, "y": 3})
        0.0
    """

    def __init__(self, expected_by: str = "10:00", zone: str = "UTC") -> None:
        self.expected_by = expected_by
        self.zone = zone
        self._due = minutes_of(expected_by)
        self._state = START

    @property
    def is_warm(self) -> bool:
        """Whether a local day was watched from its beginning."""
        return self._state.days > 0

    def score_one(self, x: Mapping[str, Any]) -> float:
        """1 when nothing has come by the expected time, else 0; nothing is changed."""
        time, count = x.get("t"), x.get("y")
        if time is None:
            return 0.0
        return self._score(self._moved(int(time)), int(time), float(count or 0.0))

    def learn_one(self, x: Mapping[str, Any]) -> None:
        """Learn one observation."""
        time, count = x.get("t"), x.get("y")
        if time is not None:
            self.observe(int(time), float(count or 0.0))

    def observe(self, time: int, count: float) -> float:
        """Score, then learn: the two calls in one.

        Args:
            time: epoch seconds.
            count: events.
        """
        state = self._moved(time)
        if count > 0.0 and not state.came:
            in_time = local_minute(time // MINUTE_S, self.zone).minute < self._due
            state = msgspec.structs.replace(state, came=True, in_time=in_time)
        self._state = state
        return self._score(state, time, count)

    def encode(self) -> bytes:
        """The whole state, explicit and portable (msgpack)."""
        return _encoder.encode(self._state)

    def restore(self, encoded: bytes) -> None:
        """Take over a state made by ``encode``.

        Raises:
            msgspec.DecodeError: not such a state.
            ValueError: a state of another version.
        """
        state = _decoder.decode(encoded)
        if state.version != STATE_VERSION or len(state.missed) != WEEK:
            raise ValueError(f"absence state of version {state.version}, this is version {STATE_VERSION}")
        self._state = state

    def _score(self, state: AbsenceState, time: int, count: float) -> float:
        if state.came or count > 0.0:
            return 0.0
        local = local_minute(time // MINUTE_S, self.zone)
        return 1.0 if local.minute >= self._due and not state.missed[local.day % WEEK] else 0.0

    def _moved(self, time: int) -> AbsenceState:
        """The state on the local day of ``time``."""
        state, day = self._state, local_minute(time // MINUTE_S, self.zone).day
        if state.day < 0:
            return msgspec.structs.replace(state, day=day)
        if day <= state.day:
            return state
        missed = list(state.missed)
        missed[state.day % WEEK] = not state.in_time
        return AbsenceState(STATE_VERSION, day, state.days + 1, came=False, in_time=False, missed=tuple(missed))
