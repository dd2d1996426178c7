"""Rules: what only shows beside other rules, destinations and purposes.

Rules: ids are unique; destinations, purposes and upstream rules exist; upstream never leads back; each way to match
names events or kinds; conditions, paths and schemas are sound.
"""

from collections.abc import Iterable, Iterator

from tamis.bundles.condition_check import check_condition, check_path
from tamis.bundles.document import Place
from tamis.bundles.problem import Problem
from tamis.bundles.rule_schema_check import check_schema


def check_rules(rules: list[Place], destinations: set[str] | None, purposes: set[str] | None) -> Iterator[Problem]:
    """All faults of all rules.

    Args:
        rules: in order.
        destinations: ids that exist; None when they are not known.
        purposes: ids that exist; None when they are not known.
    """
    yield from duplicates(rules, "rule")
    upstream = {rule.text("id"): rule.text("upstream") for rule in rules}
    for rule in rules:
        yield from unknown(rule.at("destinations"), "destination", destinations)
        yield from unknown(rule.at("purposes"), "purpose", purposes)
        yield from _upstream(rule, upstream)
        for way in ways(rule):
            yield from _way(way)
        yield from check_path(rule.at("value").at("path"))
        yield from check_path(rule.at("experiment").at("path"))
        yield from check_schema(rule.at("schema"))


def ways(rule: Place) -> list[Place]:
    """The alternatives of a rule's ``match``."""
    match = rule.at("match")
    return list(match.elements()) if isinstance(match.value, list) else [match]


def duplicates(items: Iterable[Place], noun: str) -> Iterator[Problem]:
    """Ids that occur more than once."""
    seen: dict[str, Place] = {}
    for item in items:
        name = item.text("id")
        if name in seen:
            first = seen[name].at("id").error("")
            yield item.at("id").error(f'there is another {noun} "{name}" in {first.file}, line {first.line}')
        elif name:
            seen[name] = item


def unknown(names: Place, noun: str, known: set[str] | None) -> Iterator[Problem]:
    """Names in a list that do not exist."""
    for name, place in names.texts():
        if known is not None and name not in known:
            yield place.error(f'unknown {noun} "{name}": there is {", ".join(sorted(known)) or "none"}')


def _upstream(rule: Place, upstream: dict[str, str]) -> Iterator[Problem]:
    name, first = rule.text("id"), rule.text("upstream")
    if first and first not in upstream:
        yield rule.at("upstream").error(f'unknown upstream rule "{first}"')
        return
    seen = {name}
    while first:
        if first in seen:
            yield rule.at("upstream").error(f'upstream of "{name}" leads back to "{first}"')
            return
        seen.add(first)
        first = upstream.get(first, "")


def _way(way: Place) -> Iterator[Problem]:
    if not isinstance(way.value, dict):
        return
    if "events" not in way.value and "kinds" not in way.value:
        yield way.error("match needs events or kinds")
    yield from check_condition(way.at("when"))
