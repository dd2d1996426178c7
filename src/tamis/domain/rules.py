"""Tagging rules as data, and the index that finds an event's rule.

Rules: rules are ordered, the first active rule that matches gives the tag; matching looks only at the event, not at
history; the index by kind and event name makes the cost independent of the number of rules with other names.
Not handled here: parsing and validation of rule files (``bundles``), session conditions.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from tamis.domain.event import Event
from tamis.domain.violations import Check, no_violations

Predicate = Callable[[Event], bool]
ValueOf = Callable[[Event], float | None]


class Cap(msgspec.Struct, frozen=True):
    """How many conversions of a rule count: ``most`` a "session" or a "day" of one subject."""

    per: str
    most: int


class Experiment(msgspec.Struct, frozen=True):
    """The experiment a rule's events take part in.

    Attributes:
        id: its name in records.
        path: where the event says which variant its person saw.
        variants: those that may be told; another value counts as none.
    """

    id: str
    path: str
    variants: tuple[str, ...]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One micro-conversion, as its owner wrote it.

    Attributes:
        id: stable, ``[a-z0-9_]+``; a metric label and audit text.
        version: grows with each change by the owner.
        owner: team that is paged.
        sla: free text for the alert, e.g. "4h".
        expected_by: local time of day by which at least one event is expected, "" when not expected.
        mode: "active", "shadow" or "off".
        stage: "awareness", "consideration", "intent", "purchase" or "retention".
        weight: impact weight, 0..1.
        upstream: id of the rule whose events precede this one's, "" when there is none.
        events: event names it applies to; empty when it goes by the kind of call alone.
        purposes: canonical purposes needed on top of the destination's.
        destinations: ids of destinations that may get the event.
        cap: conversions beyond it are not this rule's; None without one.
        experiment: None without one.
        title: a sentence for people.
        violations: kind of violation -> severity, where it differs from the policy's.
    """

    id: str
    version: int
    owner: str
    sla: str
    stage: str
    events: tuple[str, ...]
    destinations: tuple[str, ...]
    purposes: tuple[str, ...] = ()
    expected_by: str = ""
    mode: str = "active"
    weight: float = 0.0
    upstream: str = ""
    cap: Cap | None = None
    experiment: Experiment | None = None
    title: str = ""
    violations: Mapping[str, str] = {}


class Trigger(msgspec.Struct, frozen=True):
    """One way in which a rule can apply: a name out of ``events``, a kind out of ``kinds``, and the condition.

    Attributes:
        events: event names; empty means any.
        kinds: kinds of call; empty means any.
        when: what must hold besides; None when nothing.
    """

    events: tuple[str, ...]
    kinds: tuple[str, ...]
    when: Predicate | None

    def covers(self, kind: str | None, name: str | None) -> bool:
        """Whether it applies to this kind and name; None stands for one that no trigger mentions."""
        return (not self.events or name in self.events) and (not self.kinds or kind in self.kinds)


class CompiledRule(msgspec.Struct, frozen=True):
    """A rule with its condition and value as functions of the event.

    Attributes:
        rule: what its owner wrote.
        matches: whether the event is one of this rule's, whatever its mode.
        value: the conversion's value.
        triggers: what ``matches`` is made of; without any, ``matches`` applies to the events the rule names.
        check: finds what is wrong with an event of this rule (see ``violations``).
        schema: JSON Schema of the properties of its events, empty when the rule demands nothing.
        in_session: whether matching looks at what the person did before.
    """

    rule: Rule
    matches: Predicate
    value: ValueOf
    triggers: tuple[Trigger, ...] = ()
    check: Check = no_violations
    schema: Mapping[str, Any] = {}
    in_session: bool = False


_Slot = tuple[tuple[CompiledRule, Predicate | None], ...]


class RuleSet:
    """Finds the rule of an event.

    Args:
        rules: in order of precedence; only ``mode == "active"`` ones match.

    Attributes:
        in_session: whether any active rule looks at what the person did before.
    """

    __slots__ = ("_by_kind", "_other", "in_session", "rules")

    def __init__(self, rules: tuple[CompiledRule, ...]) -> None:
        self.rules = rules
        self.in_session = any(compiled.in_session for compiled in rules if compiled.rule.mode == "active")
        ways = [(compiled, way) for compiled in rules if compiled.rule.mode == "active" for way in _ways(compiled)]
        names = {name for _, way in ways for name in way.events}
        kinds = {kind for _, way in ways for kind in way.kinds}
        self._by_kind = {kind: _table(ways, kind, names) for kind in kinds}
        self._other = _table(ways, None, names)

    def match(self, event: Event) -> CompiledRule | None:
        """The first active rule that matches, or None for an unplanned event."""
        names, rest = self._by_kind.get(event.kind, self._other)
        for compiled, when in names.get(event.name, rest):
            if when is None or when(event):
                return compiled
        return None


def _ways(compiled: CompiledRule) -> tuple[Trigger, ...]:
    return compiled.triggers or (Trigger(compiled.rule.events, (), compiled.matches),)


def _table(
    ways: list[tuple[CompiledRule, Trigger]], kind: str | None, names: set[str]
) -> tuple[dict[str, _Slot], _Slot]:
    def slot(name: str | None) -> _Slot:
        return tuple((compiled, way.when) for compiled, way in ways if way.covers(kind, name))

    return {name: slot(name) for name in names}, slot(None)
