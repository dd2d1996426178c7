"""What records of one event would have in common in two destinations: by such values two recipients could join theirs.

Rules: names of events, rules, stages, experiments and variants are words of the configuration and do not count; ids
never are in common. Counted are fields that two lists take from one place (unless one drops or pseudonymises it),
conversion values that events bring along, and times that are exact to less than a minute in both. What the policy lists
under ``shared`` is meant; the rest is a warning. Two destinations that never get the same event share nothing.
"""

from collections.abc import Iterator
from itertools import combinations

from tamis.bundles.document import Place
from tamis.bundles.durations import milliseconds
from tamis.bundles.problem import Problem
from tamis.domain.minimise.projection import DROP
from tamis.domain.minimise.pseudonymise import PSEUDONYMISE

TIME, VALUE = "occurred_at", "value"
_EXACT_MS = 60_000
_KEPT_APART = frozenset((DROP, PSEUDONYMISE))


def lint_shared(rules: list[Place], destinations: list[Place], policy: Place | None) -> Iterator[Problem]:
    """A warning for each value that two destinations would share without the policy saying so."""
    meant = set() if policy is None else {name for name, _ in policy.at("shared").texts()}
    for one, other in combinations(destinations, 2):
        common = _common(rules, one, other)
        if common is None:
            continue
        names = f'"{one.text("id")}" and "{other.text("id")}"'
        own = _paths(one)
        for path, place in _paths(other).items():
            if path in own and path not in meant:
                yield place.warning(f'"{path}" reaches {names}: they could join their records by it{_HELP}')
        if TIME not in meant and max(_bucket(one), _bucket(other)) < _EXACT_MS:
            yield other.at("id").warning(f"times reach {names} exact to less than a minute: coarsen one{_HELP}")
        if VALUE not in meant:
            for rule in common:
                if rule.at("value").text("path"):
                    yield rule.at("value").warning(f"this value reaches {names}: they could join by it{_HELP}")


_HELP = ' (or list it under "shared" in policy.yaml)'


def _common(rules: list[Place], one: Place, other: Place) -> list[Place] | None:
    """The rules whose events both get; None when there is no event that both get."""
    open_ones = [each for each in (one, other) if each.text("accepts") == "all"]
    tagged = [each.text("id") for each in (one, other) if each.text("accepts") != "all"]
    found = [rule for rule in rules if {name for name, _ in rule.at("destinations").texts()} >= set(tagged)]
    return found if found or len(open_ones) > 1 else None


def _paths(destination: Place) -> dict[str, Place]:
    fields = [field for _, field in destination.at("fields").members() if field.text("action") not in _KEPT_APART]
    return {field.text("from"): field for field in fields if field.text("from")}


def _bucket(destination: Place) -> int:
    try:
        return milliseconds(destination.text("time_bucket") or "1ms")
    except (ValueError, KeyError, IndexError):
        return 1
