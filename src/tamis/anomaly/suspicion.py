"""When a stream is suspected, when it has recovered, and when a changed level counts as the new normal.

Rules: from ``GUARD`` of the threshold on the detector learns nothing; recovery is ``CALM_MINUTES`` calm minutes in a
row; nothing is suspected for ever: a changed level is accepted after ``SHIFT_MINUTES``, (nearly) no events after
``SILENCE_MINUTES``, but only where the season is known well: a first evening or weekend looks like an outage, too.
"""

from enum import IntEnum

import msgspec

from tamis.anomaly.season import Tier

GUARD = 0.65  # of the threshold
CALM = 0.4  # of the threshold
CALM_MINUTES = 5
SHIFT_MINUTES = 120
SILENCE_MINUTES = 1_440


class Mode(IntEnum):
    """How far a stream is suspected."""

    NORMAL = 0
    GUARDED = 1
    ALARMED = 2


class Turn(IntEnum):
    """What a minute changed."""

    NONE = 0
    RELAXED = 1
    RECOVERED = 2
    ACCEPTED = 3


class SuspicionState(msgspec.Struct, frozen=True, array_like=True):
    """Mode, minutes suspected and calm minutes in a row."""

    mode: int
    minutes: int
    calm: int


class Suspicion:
    """The mode of one stream."""

    __slots__ = ("_calm", "_minutes", "mode")

    def __init__(self) -> None:
        self.mode = Mode.NORMAL
        self._minutes = self._calm = 0

    def move(self, level: float, tier: int, *, silent: bool) -> Turn:
        """Take one minute into account.

        Args:
            level: surprise of the minute as a share of the threshold, >= 0.
            tier: how well the season is known.
            silent: (nearly) nothing came although something should have.
        """
        if level >= 1.0:
            self.mode, self._calm = Mode.ALARMED, 0
        elif self.mode == Mode.NORMAL and level >= GUARD:
            self.mode, self._calm = Mode.GUARDED, 0
        if self.mode == Mode.NORMAL:
            return Turn.NONE
        self._minutes += 1
        self._calm = self._calm + 1 if level < CALM else 0
        if self._calm >= CALM_MINUTES:
            return self._leave(Turn.RECOVERED if self.mode == Mode.ALARMED else Turn.RELAXED)
        patience = SILENCE_MINUTES if silent and tier == Tier.WARM else SHIFT_MINUTES
        return self._leave(Turn.ACCEPTED) if self._minutes > patience else Turn.NONE

    def encode(self) -> SuspicionState:
        """The whole state as plain values."""
        return SuspicionState(self.mode, self._minutes, self._calm)

    def restore(self, state: SuspicionState) -> None:
        """Take over a state made by ``encode``."""
        self.mode, self._minutes, self._calm = Mode(state.mode), state.minutes, state.calm

    def _leave(self, turn: Turn) -> Turn:
        self.mode, self._minutes, self._calm = Mode.NORMAL, 0, 0
        return turn
