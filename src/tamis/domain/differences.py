"""How two bundles judge the same events differently, counted by rule, stage, destination and verdict.

Rules: an event differs when its rule, its stage, its outcome or the verdict for any destination differs; a rule's
version alone is no difference. A verdict is the reason for a destination as the audit log writes it, "-" where the
destination is not asked. An event whose destinations agree counts once, under destination "". Counts add up.
Not handled here: which fields a destination would get, what a conversion is worth.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from tamis.domain.plan import Plan
from tamis.domain.standing import Standing
from tamis.domain.subject import Subject

NOT_ASKED = "-"
_MAX_PAIRS = 4_096

Decision = tuple[Plan, float | None, Subject, Standing]
"""What the core decided of an event: its plan, value, subject and standing."""


class Change(NamedTuple):
    """One way in which events differ: what the active bundle says and what the candidate says.

    Attributes:
        rule, candidate_rule: rule ids, "" for none.
        stage, candidate_stage: stages, "" for none.
        destination: whose verdict differs, "" when none does.
        verdict, candidate_verdict: reasons; for destination "" the outcomes.
    """

    rule: str
    candidate_rule: str
    stage: str
    candidate_stage: str
    destination: str
    verdict: str
    candidate_verdict: str


class Differences:
    """Counts of one or several batches.

    Attributes:
        events: events judged by both.
        differing: events among them that differ.
        changes: change -> events.
    """

    __slots__ = ("changes", "differing", "events")

    def __init__(self) -> None:
        self.events = 0
        self.differing = 0
        self.changes: Counter[Change] = Counter()

    def compare(self, active: Iterable[Decision], candidate: Iterable[Decision]) -> None:
        """Adds events, in the same order on both sides."""
        for (plan, _, _, standing), (other_plan, _, _, other) in zip(active, candidate, strict=True):
            self.events += 1
            if (
                standing.destinations != other.destinations
                or plan.rule != other_plan.rule
                or plan.stage != other_plan.stage
                or standing.outcome != other.outcome
            ):
                self._differ(plan, standing, other_plan, other)

    def _differ(self, plan: Plan, standing: Standing, other_plan: Plan, other: Standing) -> None:
        self.note(
            (plan.rule, other_plan.rule), (plan.stage, other_plan.stage),
            verdicts(standing.destinations), verdicts(other.destinations), (standing.outcome, other.outcome),
        )  # fmt: skip

    def note(
        self,
        rules: tuple[str, str],
        stages: tuple[str, str],
        active: dict[str, str],
        candidate: dict[str, str],
        outcomes: tuple[str, str],
    ) -> None:
        """Adds one event that differs (``events`` is counted by the caller).

        Args:
            rules: of the active bundle, of the candidate.
            stages: likewise.
            active: destination -> reason.
            candidate: destination -> reason.
            outcomes: likewise.
        """
        self.differing += 1
        changed = [name for name in sorted({*active, *candidate}) if active.get(name) != candidate.get(name)]
        for name in changed:
            said, says = active.get(name, NOT_ASKED), candidate.get(name, NOT_ASKED)
            self.changes[Change(*rules, *stages, name, said, says)] += 1
        if not changed:
            self.changes[Change(*rules, *stages, "", *outcomes)] += 1

    def add(self, other: "Differences") -> None:
        """Adds the counts of other events."""
        self.events += other.events
        self.differing += other.differing
        self.changes.update(other.changes)


_known: dict[str, dict[str, str]] = {}


def verdicts(fragment: str) -> dict[str, str]:
    """Destination -> reason of a leaf's ``"dest":{...}`` fragment."""
    found = _known.get(fragment)
    if found is None:
        if len(_known) >= _MAX_PAIRS:
            _known.clear()
        found = _known[fragment] = msgspec.json.decode(f"{{{fragment}}}", type=dict[str, dict[str, str]])["dest"]
    return found
