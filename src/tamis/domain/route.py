"""Which destinations an event may reach by configuration, before anybody's consent is asked.

Rules: a destination that accepts "all" is open to every event, one that accepts "tagged" only to events whose rule
names it; a destination without purposes is open to nothing; an event for which no destination is open is denied as
unplanned (no rule) or not routed. Rules with equal destinations and purposes share a route: decisions are cached by it.
"""

import msgspec

from tamis.domain.bundle import Bundle, Destination
from tamis.domain.outcome import Reason
from tamis.domain.rules import Rule

SLOTS = 1 << 32
"""Circumstances a route can tell apart: ``Route.slot`` plus the number of the circumstance names a decision."""


class Leg(msgspec.Struct, frozen=True):
    """One open destination of a route: its number in the bundle and all purposes that must be granted."""

    number: int
    destination: Destination
    purposes: tuple[str, ...]


class Route(msgspec.Struct, frozen=True):
    """Open destinations, and why there is none if there is none.

    Attributes:
        id: small number, unique within the bundle.
        legs: in order of destination id.
        closed: reason of an event when ``legs`` is empty.
        max_lateness_ms: the smallest of the legs: older events are judged leg by leg.
        slot: ``id * SLOTS``.
        purposes: of all legs.
    """

    id: int
    legs: tuple[Leg, ...]
    closed: Reason
    max_lateness_ms: int
    slot: int
    purposes: frozenset[str] = frozenset()


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
        Leg(n, destination, tuple(sorted({*destination.purposes, *extra})))
        for n, destination in sorted(enumerate(bundle.destinations), key=lambda pair: pair[1].id)
        if destination.purposes and (destination.accepts == "all" or destination.id in named)
    )
    lateness = min((leg.destination.max_lateness_ms for leg in legs), default=0)
    purposes = frozenset(purpose for leg in legs for purpose in leg.purposes)
    closed = Reason.NOT_ROUTED if rule else Reason.UNPLANNED
    return Route(number, legs, closed, lateness, number * SLOTS, purposes)
