"""What is the same for all events of one tagging rule, worked out once per bundle.

Rules: an event that no rule matches is sent under the kind of its call, never under a name a sender chose; the same
holds for a matched event whose name the rule does not list.
"""

import msgspec

from tamis.domain.bundle import Bundle
from tamis.domain.event import Event
from tamis.domain.experiment import TrialOf, trial_of
from tamis.domain.route import Route, Routes
from tamis.domain.rules import CompiledRule, ValueOf
from tamis.domain.tally import NO_RULE
from tamis.domain.validation import Validator, refusal, validator


class Plan(msgspec.Struct, frozen=True):
    """One rule, or no rule.

    Attributes:
        series: rule id for counts, ``NO_RULE`` without one.
        rule: rule id in records, "" without one.
        stage: the rule's stage, "" without one.
        names: event names that may be told.
        value: what the event is worth.
        route: where its events may go.
        trial: the experiment and variant of an event that may be told, None when the rule has none.
        validator: what is checked of its events.
        leaf: end of the leaf's ``"rule":"...`` fragment.
        in_session: matching looks at the event's session, so it cannot be done again later.
    """

    series: str
    rule: str
    stage: str
    names: frozenset[str]
    value: ValueOf
    route: Route
    validator: Validator
    leaf: str
    trial: TrialOf | None = None
    in_session: bool = False


class Plans:
    """The plans of a bundle.

    Attributes:
        by_rule: rule id -> plan.
        unplanned: the plan of events without a rule.
    """

    __slots__ = ("by_rule", "unplanned")

    def __init__(self, bundle: Bundle) -> None:
        routes, policy = Routes(bundle), bundle.policy.violations
        self.by_rule = {
            rule.id: Plan(
                series=rule.id,
                rule=rule.id,
                stage=rule.stage,
                names=frozenset(rule.events),
                value=compiled.value,
                route=routes.by_rule[rule.id],
                validator=validator(compiled, policy, routes.by_rule[rule.id].max_lateness_ms),
                leaf=f'{rule.id}#{rule.version}"',
                trial=None if rule.experiment is None else trial_of(rule.experiment),
                in_session=compiled.in_session and rule.mode == "active",
            )
            for compiled in bundle.rules.rules
            for rule in (compiled.rule,)
        }
        none = validator(None, policy, routes.unplanned.max_lateness_ms)
        self.unplanned = Plan(NO_RULE, "", "", frozenset(), lambda _event: None, routes.unplanned, none, '-"')

    def sound(self, compiled: CompiledRule, event: Event) -> bool:
        """Whether an event is not refused for what its rule demands of its properties."""
        return refusal(self.by_rule[compiled.rule.id].validator.faults(event, 0)) is None
