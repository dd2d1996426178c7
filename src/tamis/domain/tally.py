"""Counts of one batch by series, minute, outcome and reason, combined before they are sent.

Rules: every event is counted exactly once, in the minute of its ``received_at``, so the sums equal the batch's leaves.
"""

NO_RULE = "-"
NO_SITE = "-"
_MINUTE_MS = 60_000

Group = tuple[str, str, int, str, str]
"""site, rule, minute, outcome, reason."""


class Tally:
    """Accumulates one batch.

    Attributes:
        groups: ``Group`` -> [events, sum of values].
    """

    __slots__ = ("groups",)

    def __init__(self) -> None:
        self.groups: dict[Group, list[float]] = {}

    def add(self, site: str, rule: str, received_at: int, outcome: str, reason: str, value: float | None) -> None:
        """Counts one event received at ``received_at`` (ms)."""
        group = (site, rule, received_at // _MINUTE_MS, outcome, reason)
        sums = self.groups.get(group)
        if sums is None:
            sums = self.groups[group] = [0, 0.0]
        sums[0] += 1
        if value is not None:
            sums[1] += value

    def by_outcome(self) -> dict[str, int]:
        """Events by outcome: the conservation ledger of the batch."""
        totals: dict[str, int] = {}
        for (_, _, _, outcome, _), sums in self.groups.items():
            totals[outcome] = totals.get(outcome, 0) + int(sums[0])
        return totals
