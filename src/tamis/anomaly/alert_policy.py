"""Which scores of a stream are told to people: one alert per incident, a budget per day, no flapping.

Rules: an incident opens at a score of 0.5 and closes after ``HEALTHY`` observations in a row below ``HEALTHY_SCORE``;
one that comes back within ``FLAP_S`` is the same incident; what was told at this time of day on ``DAILY``
other days of the last week is a habit and no news; every alert costs a token, tokens come back slowly, and
without one the incident is opened silently. Time is that of the observations.
Not handled here: what an alert says (``incidents``), grouping over series.
"""

from enum import IntEnum

import msgspec

OPEN_SCORE, HEALTHY_SCORE = 0.5, 0.35
HEALTHY = 5
FLAP_S = 900
BURST = 4.0
PER_SECOND = 1.0 / 86_400
DAY_S, DAILY, NEAR_S, MEMORY_S = 86_400, 2, 1_800, 8 * 86_400


class Change(IntEnum):
    """What an observation changed; ``OPENED`` alone is news to people, ``MUTED`` opens without telling."""

    NONE = 0
    OPENED = 1
    MUTED = 2
    REOPENED = 3
    CLOSED = 4


class PolicyState(msgspec.Struct, array_like=True):
    """The whole state of an ``AlertPolicy``.

    Attributes:
        open: whether an incident is open.
        healthy: observations in a row that were.
        closed: when the last incident closed, epoch seconds.
        tokens: alerts left.
        counted: up to when tokens were given back, epoch seconds.
        muted: incidents that opened without a token or as a habit.
        opened: when the incidents of the last days opened, epoch seconds.
    """

    open: bool = False
    healthy: int = 0
    closed: int = -FLAP_S
    tokens: float = BURST
    counted: int = 0
    muted: int = 0
    opened: tuple[int, ...] = ()


class AlertPolicy:
    """The incidents of one stream, from its scores."""

    __slots__ = ("state",)

    def __init__(self, state: PolicyState | None = None) -> None:
        self.state = state or PolicyState()

    def step(self, time: int, score: float) -> Change:
        """Take one score into account; what it changes.

        Args:
            time: epoch seconds, never before the last one.
            score: 0..1, 0.5 is the threshold.
        """
        state = self.state
        if state.open:
            state.healthy = state.healthy + 1 if score < HEALTHY_SCORE else 0
            if state.healthy >= HEALTHY:
                state.open, state.closed = False, time
                return Change.CLOSED
            return Change.NONE
        if score < OPEN_SCORE:
            return Change.NONE
        state.open, state.healthy = True, 0
        if time - state.closed < FLAP_S:
            return Change.REOPENED
        habit = self._is_habit(time)
        state.opened = (*(each for each in state.opened if time - each < MEMORY_S), time)
        state.tokens = min(BURST, state.tokens + (time - state.counted) * PER_SECOND)
        state.counted = time
        if habit or state.tokens < 1.0:
            state.muted += 1
            return Change.MUTED
        state.tokens -= 1.0
        return Change.OPENED

    def adopt(self, *, opened: bool) -> None:
        """Go on from what people saw last: an open incident, or none, as if none had been."""
        if opened != self.state.open:
            self.state.open, self.state.healthy, self.state.closed = opened, 0, -FLAP_S

    def _is_habit(self, time: int) -> bool:
        """Whether incidents opened at about this time of day on ``DAILY`` other days lately."""
        days = set()
        for each in self.state.opened:
            away = (time - each) % DAY_S
            if time - each < MEMORY_S and min(away, DAY_S - away) <= NEAR_S and time - each > DAY_S // 2:
                days.add(round((time - each) / DAY_S))
        return len(days) >= DAILY
