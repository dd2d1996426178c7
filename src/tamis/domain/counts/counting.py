"""Counts the events of a batch, each once, in its series, with its facets, its value and its subject.

Rules: the subjects of all decided events are counted, whatever became of them; events that name nobody count for none.
Repeats and refused events belong to no rule; of what is quarantined the producer is counted too.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tamis.domain.counts.channel import channel_of
from tamis.domain.counts.device import device_of
from tamis.domain.event import Event
from tamis.domain.outcome import Outcome
from tamis.domain.plan import Plan
from tamis.domain.sites import site_of
from tamis.domain.tally import NO_RULE, NO_SITE, Facets, Tally

_MAX_FACETS = 4_096


class EventCounts:
    """Counts under one bundle.

    Args:
        sites: host -> site of the policy.
        entry: subject key -> entry of the sketches.
    """

    __slots__ = ("_entry", "_facets", "_sites")

    def __init__(self, sites: Mapping[str, str], entry: Callable[[str], int]) -> None:
        self._sites = sites
        self._entry = entry
        self._facets: dict[tuple[str, str, str], Facets] = {}

    def decided(self, tally: Tally, cases: Iterable[Any], decisions: Iterable[Any]) -> None:
        """Events with their decisions, as ``intake`` has them."""
        sites, known, add = self._sites, self._facets, tally.add
        for (_, _, _, now, _, _, event), (plan, value, subject, standing) in zip(cases, decisions, strict=True):
            spoken = (plan.stage, channel_of(event), device_of(event))
            facets = known.get(spoken) or self._made(spoken)
            entry = subject.entry
            if entry is None and subject.key:
                entry = subject.entry = self._entry(subject.key)
            add(site_of(event, sites), plan.series, now, standing.outcome, standing.reason, value, facets, entry)

    def repeated(self, tally: Tally, event: Event, now: int, why: str, producer: str) -> None:
        """A duplicate or a conflict (``why``), received at ``now`` (ms); of a conflict the producer is told."""
        facets = Facets("-", channel_of(event), device_of(event), producer)
        tally.add(site_of(event, self._sites), NO_RULE, now, why, why, None, facets)

    def violated(self, tally: Tally, event: Event, plan: Plan, now: int, why: str, producer: str) -> None:
        """An event with an error by its rule, received at ``now`` (ms)."""
        facets = Facets(plan.stage or "-", channel_of(event), device_of(event), producer)
        tally.add(site_of(event, self._sites), plan.series, now, Outcome.INVALID.value, why, None, facets)

    @staticmethod
    def refused(tally: Tally, now: int, why: str, producer: str) -> None:
        """An event that could not be used, received at ``now`` (ms)."""
        tally.add(NO_SITE, NO_RULE, now, Outcome.INVALID.value, why, None, Facets(producer=producer))

    def _made(self, spoken: tuple[str, str, str]) -> Facets:
        if len(self._facets) >= _MAX_FACETS:
            self._facets.clear()
        stage, channel, device = spoken
        made = self._facets[spoken] = Facets(stage or "-", channel, device)
        return made
