"""Warnings: what is allowed and probably not meant.

Rules: a rule that an earlier one always takes events from is unreachable; two rules with conditions on the same events,
of which both may hold, overlap (the first one wins); more than ``MAX_PER_STAGE`` active rules in a stage is
over-tracking; an active rule says when events are expected, or ``none``; a destination for tagged events is named; a
property that a rule describes is of use to somebody.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import product

from tamis.bundles.document import Place
from tamis.bundles.exclusion import exclusive
from tamis.bundles.lint_fields import lint_fields
from tamis.bundles.problem import Problem
from tamis.bundles.rule_check import ways
from tamis.domain.conversion import LEARNED

MAX_PER_STAGE = 10


def lint(rules: list[Place], destinations: list[Place]) -> Iterator[Problem]:
    """All warnings."""
    active = [rule for rule in rules if isinstance(rule.value, dict) and rule.value.get("mode", "active") == "active"]
    yield from _stages(active)
    for rule in active:
        if "expected_by" not in rule.value:
            yield rule.at("id").warning(f'rule "{rule.text("id")}" lacks "expected_by": a time of day, or none')
    for number, rule in enumerate(active):
        yield from _shadowed(rule, active[:number])
        if rule.value.get("value") == LEARNED:
            yield rule.at("value").warning("values are not learned yet: events of this rule have none")
    yield from _unnamed(active, destinations)
    yield from lint_fields(active, destinations)


def _stages(active: list[Place]) -> Iterator[Problem]:
    count: Counter[str] = Counter()
    for rule in active:
        stage = rule.text("stage")
        count[stage] += 1
        if stage and count[stage] == MAX_PER_STAGE + 1:
            yield rule.at("stage").warning(f'more than {MAX_PER_STAGE} active rules in stage "{stage}": over-tracking')


def _unnamed(active: list[Place], destinations: list[Place]) -> Iterator[Problem]:
    named = {name for rule in active for name, _ in rule.at("destinations").texts()}
    for destination in destinations:
        name = destination.text("id")
        if name and destination.text("accepts") != "all" and name not in named:
            yield destination.at("id").warning(f'no active rule names destination "{name}": it receives nothing')


def _shadowed(rule: Place, earlier: list[Place]) -> Iterator[Problem]:
    own = ways(rule)
    takers = [
        (other, way)
        for other in earlier
        for way in ways(other)
        if isinstance(way.value, dict) and other.at("cap").value is None  # beyond its cap it leaves events to others
    ]
    if own and all(isinstance(way.value, dict) and _taken(way, takers) for way in own):
        first = next(other for other, way in takers if _unconditional(way))
        yield rule.at("id").warning(
            f'rule "{rule.text("id")}" is unreachable: "{first.text("id")}" takes all its events before'
        )
        return
    overlapping: dict[str, None] = {}
    for way, (other, taker) in product(own, takers):
        if isinstance(way.value, dict) and _may_overlap(way, taker):
            overlapping[other.text("id")] = None
    for name in overlapping:
        yield rule.at("match").warning(
            f'rule "{rule.text("id")}" overlaps "{name}": where both match, "{name}" wins because it stands first'
        )


def _names(way: Place, key: str) -> frozenset[str]:
    return frozenset(name for name, _ in way.at(key).texts())


def _unconditional(way: Place) -> bool:
    return way.value.get("when") is None


def _taken(way: Place, takers: list[tuple[Place, Place]]) -> bool:
    """Whether every name and kind of ``way`` is taken by an earlier way without a condition."""
    pairs = product(_names(way, "events") or {None}, _names(way, "kinds") or {None})
    free = [taker for _, taker in takers if _unconditional(taker)]
    return all(any(_covers(taker, name, kind) for taker in free) for name, kind in pairs)


def _covers(way: Place, name: str | None, kind: str | None) -> bool:
    names, kinds = _names(way, "events"), _names(way, "kinds")
    return bool(names or kinds) and (not names or name in names) and (not kinds or kind in kinds)


def _may_overlap(one: Place, other: Place) -> bool:
    """Both have conditions that may hold together; a general rule after a special one is a fall-back, no overlap."""
    if _unconditional(one) or _unconditional(other) or not _common(one, other):
        return False
    return not exclusive(one.value["when"], other.value["when"])


def _common(one: Place, other: Place) -> bool:
    for key in ("events", "kinds"):
        mine, theirs = _names(one, key), _names(other, key)
        if mine and theirs and not mine & theirs:
            return False
    return bool(_names(one, "events") & _names(other, "events")) or bool(_names(one, "kinds") & _names(other, "kinds"))
