"""What else changed at the same time? The share of each outcome in a site's events, lately against usually.

Rules: a cause is suspected when its share of the last minutes is at least ``CLEARLY`` higher than usual; of several the
one that grew most; the usual is not learned while the site is suspected. A changed bundle comes first: it is
known, not suspected (``Board.note_bundle``).
Not handled here: whether it is the reason. It is a hint, for the first minute of an incident.
"""

import msgspec

LATELY = 0.5  # what a minute of at least LEAST_EVENTS counts
KEEP_USUAL = 0.5 ** (1.0 / 180.0)  # half-life in minutes
CLEARLY = 0.15
LEAST_EVENTS = 5.0
BUNDLE, BUNDLE_MINUTES = "bundle", 30
REFUSED = frozenset({"denied", "held"})
CAUSES = ("consent", "invalid", "duplicates", "bots")


class CausesState(msgspec.Struct, frozen=True, array_like=True):
    """Events usually, those of each of ``CAUSES`` usually, and the share of each lately."""

    total: float = 0.0
    usual: tuple[float, ...] = (0.0,) * len(CAUSES)
    lately: tuple[float, ...] = (0.0,) * len(CAUSES)


def cause_of(outcome: str, reason: str) -> str:
    """The cause that events with this fate speak for, empty for none."""
    if "bot" in reason:
        return "bots"
    if outcome in REFUSED:
        return "consent"
    if outcome in {"duplicate", "conflict"}:
        return "duplicates"
    return "invalid" if outcome == "invalid" else ""


class Causes:
    """The mix of one site."""

    __slots__ = ("_state",)

    def __init__(self) -> None:
        self._state = CausesState()

    def learn(self, events: dict[str, int], *, usual: bool) -> None:
        """Add one minute: cause (empty for none) -> events; ``usual`` = nothing is suspected."""
        state, total = self._state, sum(events.values())
        if not total:
            return
        found = [events.get(cause, 0) for cause in CAUSES]
        weight = LATELY * min(1.0, total / LEAST_EVENTS)
        lately = tuple(old + weight * (n / total - old) for old, n in zip(state.lately, found, strict=True))
        if usual:
            added = tuple(old * KEEP_USUAL + n for old, n in zip(state.usual, found, strict=True))
            self._state = CausesState(state.total * KEEP_USUAL + total, added, lately)
        else:
            self._state = CausesState(state.total, state.usual, lately)

    def suspect(self) -> str:
        """The cause whose share grew most and clearly, empty for none."""
        state = self._state
        if state.total < LEAST_EVENTS:
            return ""
        parts = zip(CAUSES, state.lately, state.usual, strict=True)
        most, name = max((lately - usual / state.total, name) for name, lately, usual in parts)
        return name if most >= CLEARLY else ""

    def encode(self) -> CausesState:
        """The whole state as plain values."""
        return self._state

    def restore(self, state: CausesState) -> None:
        """Take over a state made by ``encode``."""
        self._state = state
