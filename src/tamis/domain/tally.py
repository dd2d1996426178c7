"""Counts of one batch by everything events are counted by, combined before they are sent.

Rules: every event is counted exactly once, in the minute of its ``received_at``, so the sums equal the batch's leaves;
what an event is counted by comes from closed sets and from the configuration, never from text a sender chose; subjects
are counted as entries of a sketch.
"""

import msgspec

NO_RULE = "-"
NO_SITE = "-"
_MINUTE_MS = 60_000


class Facets(msgspec.Struct, frozen=True, order=True, cache_hash=True):
    """What an event is counted by besides site, rule and fate; "-" for what does not apply.

    Attributes:
        stage: of its rule.
        channel: see ``counts.channel``.
        device: see ``counts.device``.
        producer: see ``domain.producer``; only of what is quarantined.
    """

    stage: str = "-"
    channel: str = "-"
    device: str = "-"
    producer: str = "-"


NO_FACETS = Facets()
Group = tuple[str, str, int, str, str, Facets]
"""site, rule, minute, outcome, reason, facets."""


class Sums:
    """What is summed for one group.

    Attributes:
        n: events.
        value: their values.
        entries: their subjects, as entries of a sketch (``counts.sketch``).
    """

    __slots__ = ("entries", "n", "value")

    def __init__(self) -> None:
        self.n = 0
        self.value = 0.0
        self.entries: set[int] = set()


class Tally:
    """Accumulates one batch.

    Attributes:
        groups: what was counted so far.
    """

    __slots__ = ("groups",)

    def __init__(self) -> None:
        self.groups: dict[Group, Sums] = {}

    def add(
        self, site: str, rule: str, received_at: int, outcome: str, reason: str, value: float | None,
        facets: Facets = NO_FACETS, entry: int | None = None,
    ) -> None:  # fmt: skip
        """Counts one event received at ``received_at`` (ms), of the subject with this ``entry``."""
        group = (site, rule, received_at // _MINUTE_MS, outcome, reason, facets)
        sums = self.groups.get(group)
        if sums is None:
            sums = self.groups[group] = Sums()
        sums.n += 1
        if value is not None:
            sums.value += value
        if entry is not None:
            sums.entries.add(entry)

    def by_outcome(self) -> dict[str, int]:
        """Events by outcome: the conservation ledger of the batch."""
        totals: dict[str, int] = {}
        for group, sums in self.groups.items():
            outcome = group[3]
            totals[outcome] = totals.get(outcome, 0) + sums.n
        return totals
