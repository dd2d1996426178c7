"""Tagging rules as data, and the index that finds an event's rule.

Rules: rules are ordered, the first active rule that matches gives the tag; matching looks only at the event, not at
history; the index by event name makes the cost independent of the number of rules with other names.
Not handled here: parsing and validation of rule files (``bundles``), session conditions.
"""

from collections.abc import Callable

import msgspec

from tamis.domain.event import Event

Predicate = Callable[[Event], bool]
ValueOf = Callable[[Event], float | None]


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
        events: event names it applies to (never empty).
        purposes: canonical purposes needed on top of the destination's.
        destinations: ids of destinations that may get the event.
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


class CompiledRule(msgspec.Struct, frozen=True):
    """A rule with its condition and value as functions of the event."""

    rule: Rule
    matches: Predicate
    value: ValueOf


class RuleSet:
    """Finds the rule of an event.

    Args:
        rules: in order of precedence; only ``mode == "active"`` ones match.
    """

    __slots__ = ("by_name", "rules")

    def __init__(self, rules: tuple[CompiledRule, ...]) -> None:
        self.rules = rules
        index: dict[str, list[CompiledRule]] = {}
        for compiled in rules:
            if compiled.rule.mode == "active":
                for name in compiled.rule.events:
                    index.setdefault(name, []).append(compiled)
        self.by_name: dict[str, tuple[CompiledRule, ...]] = {name: tuple(found) for name, found in index.items()}

    def match(self, event: Event) -> CompiledRule | None:
        """The first active rule that matches, or None for an unplanned event."""
        for compiled in self.by_name.get(event.name, ()):
            if compiled.matches(event):
                return compiled
        return None
