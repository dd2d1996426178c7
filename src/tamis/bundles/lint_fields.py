"""Properties producers are asked for and nobody uses: what is not needed is not collected (GDPR, article 5(1)(c)).

Rules: a property described in a rule's schema is used when a destination that may get the rule's events lists it or
something below it (``drop`` is no use), or when the rule's own conditions, value or experiment look at it.
"""

from collections.abc import Iterator
from typing import Any

from tamis.bundles.document import Place
from tamis.bundles.problem import Problem
from tamis.bundles.rule_check import ways
from tamis.domain.minimise.projection import DROP
from tamis.domain.paths import parse_path


def lint_fields(rules: list[Place], destinations: list[Place]) -> Iterator[Problem]:
    """A warning for each property that nobody uses."""
    for rule in rules:
        described = dict(rule.at("schema").at("properties").members())
        if not described:
            continue
        named = {name for name, _ in rule.at("destinations").texts()}
        takers = [each for each in destinations if each.text("id") in named or each.text("accepts") == "all"]
        used = {key for taker in takers for key in _listed(taker)} | set(_own(rule))
        for name, place in described.items():
            if name not in used:
                who = ", ".join(sorted(each.text("id") for each in takers)) or "no destination"
                yield place.warning(f'nobody uses "properties.{name}" of rule "{rule.text("id")}" (asked: {who})')


def _listed(destination: Place) -> Iterator[str]:
    for _, field in destination.at("fields").members():
        if field.text("action") != DROP:
            yield from _property(field.text("from"))


def _own(rule: Place) -> Iterator[str]:
    yield from _property(rule.at("value").text("path"))
    yield from _property(rule.at("experiment").text("path"))
    for way in ways(rule):
        yield from _looked_at(way.at("when").value)


def _looked_at(condition: Any) -> Iterator[str]:
    if isinstance(condition, dict):
        if isinstance(condition.get("path"), str):
            yield from _property(condition["path"])
        for part in (condition.get("all"), condition.get("any"), condition.get("not")):
            for inner in part if isinstance(part, list) else [part]:
                yield from _looked_at(inner)


def _property(path: str) -> Iterator[str]:
    parsed = parse_path(path)
    if parsed is not None and parsed.root == "properties":
        yield parsed.keys[0]
