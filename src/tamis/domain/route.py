"""Which destinations an event may reach by configuration, before anybody's consent is asked.

Rules: a destination that accepts "all" is open to every event, one that accepts "tagged" only to events whose rule
names it; a destination without purposes is open to nothing; an event for which no destination is open is denied as
unplanned (no rule) or not routed. Rules with equal destinations and purposes share a route: decisions are cached by it.
"""

import msgspec

from tamis.domain.bundle import Bundle, Destination, Policy
from tamis.domain.outcome import Reason
from tamis.domain.rules import Rule

SLOTS = 1 << 32
"""Inline signals a route can tell apart: ``Route.slot`` plus the number of the signal names a decision."""


class Question(msgspec.Struct, frozen=True, gc=False):
    """What is asked of a record for one purpose.

    Attributes:
        purpose: canonical id.
        scope: "<regulation>/<purpose>".
        max_age_ms: how long a grant lives, None for ever.
        known: whether the policy has this purpose.
    """

    purpose: str
    scope: str
    max_age_ms: int | None
    known: bool


class Leg(msgspec.Struct, frozen=True):
    """One open destination of a route: its number in the bundle and all purposes that must be granted."""

    number: int
    destination: Destination
    purposes: tuple[Question, ...]


class Route(msgspec.Struct, frozen=True):
    """Open destinations, and why there is none if there is none.

    Attributes:
        id: small number, unique within the bundle.
        legs: in order of destination id.
        closed: reason of an event when ``legs`` is empty.
        max_lateness_ms: the smallest of the legs: older events are judged leg by leg.
        slot: ``id * SLOTS``.
    """

    id: int
    legs: tuple[Leg, ...]
    closed: Reason
    max_lateness_ms: int
    slot: int


class Routes:
    """Interns the route of each rule of a bundle."""

    __slots__ = ("by_rule", "unplanned")

    def __init__(self, bundle: Bundle) -> None:
        seen: dict[tuple[tuple[str, ...], tuple[str, ...]], Route] = {}
        self.by_rule: dict[str, Route] = {}
        for compiled in bundle.rules.rules:
            rule = compiled.rule
            shape = (tuple(sorted(rule.destinations)), tuple(sorted(rule.purposes)))
            if shape not in seen:
                seen[shape] = _route(len(seen) + 1, bundle, rule)
            self.by_rule[rule.id] = seen[shape]
        self.unplanned = _route(0, bundle, None)


def _route(number: int, bundle: Bundle, rule: Rule | None) -> Route:
    named = rule.destinations if rule else ()
    extra = rule.purposes if rule else ()
    legs = tuple(
        Leg(n, destination, tuple(_question(bundle.policy, p) for p in sorted({*destination.purposes, *extra})))
        for n, destination in sorted(enumerate(bundle.destinations), key=lambda pair: pair[1].id)
        if destination.purposes and (destination.accepts == "all" or destination.id in named)
    )
    lateness = min((leg.destination.max_lateness_ms for leg in legs), default=0)
    return Route(number, legs, Reason.NOT_ROUTED if rule else Reason.UNPLANNED, lateness, number * SLOTS)


def _question(policy: Policy, purpose: str) -> Question:
    known = purpose in policy.purposes
    return Question(purpose, f"{policy.regulation}/{purpose}", policy.max_age_ms.get(purpose), known)
