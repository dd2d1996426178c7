"""The violations of one batch: by rule, producer and site for whoever counts, and by event for whoever explains.

Rules: each violation of each event counts once, in words of the configuration and of ``domain.producer`` alone; the
producer is looked up only for events that violate something, and remembered, because producers repeat.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from tamis.domain.event import Event, Invalid
from tamis.domain.plan import Plan
from tamis.domain.producer import CALLS, producer_of
from tamis.domain.refused import SourceRecord
from tamis.domain.sites import site_of
from tamis.domain.standing import Standing
from tamis.domain.undecided import Case, Undecided
from tamis.domain.validation import REFUSED, Faults, refusal

MAX_PRODUCERS = 1_024


class Noted(NamedTuple):
    """What is counted together."""

    rule: str
    kind: str
    severity: str
    producer: str
    site: str


class Producers:
    """Finds the producer of an event, cheaply where it says so in the usual places.

    Args:
        known: further names of SDKs.
    """

    __slots__ = ("_known", "_memo")

    def __init__(self, known: Collection[str]) -> None:
        self._known = known
        self._memo: dict[Any, str] = {}

    def of(self, event: Event) -> str:
        """See ``domain.producer``."""
        mark = _mark(event)
        try:
            found = self._memo.get(mark)
        except TypeError:  # a list or an object where a text should be
            return producer_of(event, self._known)
        if found is None:
            found = producer_of(event, self._known)
            if mark is not None:
                if len(self._memo) >= MAX_PRODUCERS:
                    self._memo.clear()
                self._memo[mark] = found
        return found


def _mark(event: Event) -> Any:
    """Equal for events whose producer is certainly the same; None where that is not so easily said."""
    if event.vendor not in CALLS:
        return None
    context = event.context
    library, app = context.get("library"), context.get("app")
    name, version = (library.get("name"), library.get("version")) if type(library) is dict else (library, None)
    if type(app) is not dict:
        return event.vendor, name, version
    return event.vendor, name, version, app.get("name"), app.get("version")


Judge = Callable[[int, Plan, Event, int, Plan | None], Standing | None]
"""(number of the event, plan of its rule, event, received minus occurred in ms, plan of a rule beyond whose cap it is)
-> its standing when it is refused."""


class Violations:
    """Collects them.

    Args:
        sites: host name -> site label.
        producers: finds producers.

    Attributes:
        events: number of the event's leaf in the batch, and what is wrong with it.
        found: since ``begin``: number of the event, rule, what is wrong with it, and why it is refused.
        judging: False where events were judged before, because they had been held.
    """

    __slots__ = ("_groups", "_producers", "_sites", "events", "found", "judging")

    def __init__(self, sites: Mapping[str, str], producers: Producers) -> None:
        self._sites = sites
        self._producers = producers
        self.judging = True
        self.found: list[tuple[int, str, Faults, Invalid | None]] = []
        self._groups: Counter[tuple[str, Faults, str, str]] = Counter()
        self.events: list[tuple[int, Faults]] = []

    def begin(self) -> Judge | None:
        """Before some events are decided: what judges them, None when nothing is judged."""
        self.found.clear()
        return self._judge if self.judging else None

    def _judge(self, number: int, plan: Plan, event: Event, age_ms: int, capped: Plan | None) -> Standing | None:
        refused = self._note(number, plan.rule, plan.validator.faults(event, age_ms))
        if capped is not None:
            refused = self._note(number, capped.rule, capped.validator.over_cap()) or refused
        return refused

    def _note(self, number: int, rule: str, faults: Faults) -> Standing | None:
        if not faults:
            return None
        why = refusal(faults)
        self.found.append((number, rule, faults, why))
        return None if why is None else REFUSED[why.reason]

    def settle(
        self,
        cases: Sequence[Case],
        plans: Sequence[Plan],
        tags: Sequence[bytes],
        undecided: Undecided,
        records: Sequence[SourceRecord],
    ) -> set[bytes]:
        """Counts what was found since ``begin``; quarantines events with an error, each once, and gives their ids.

        Args:
            cases: the events that were decided.
            plans: of their rules.
            tags: their keyed ids.
            undecided: quarantines.
            records: of the batch.
        """
        if not self.found:
            return set()
        refused: dict[int, bytes] = {}
        for number, rule, faults, why in self.found:
            case = cases[number]
            self.add(case[0], case[-1], rule, faults)
            if why is not None and number not in refused:
                refused[number] = tags[number]
                undecided.violates(case, plans[number], rule, why, faults, records)
        self.found.clear()
        return set(refused.values())

    def add(self, leaf: int, event: Event, rule: str, faults: Faults) -> None:
        """Counts one event that violates something; ``leaf`` is the number of its leaf in the batch."""
        self._groups[rule, faults, self._producers.of(event), site_of(event, self._sites)] += 1
        self.events.append((leaf, faults))

    def counts(self) -> Counter[Noted]:
        """``Noted`` -> violations."""
        found: Counter[Noted] = Counter()
        for (rule, faults, producer, site), n in self._groups.items():
            for fault in faults:
                found[Noted(rule, fault.kind, fault.severity, producer, site)] += n
        return found
