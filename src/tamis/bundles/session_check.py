"""What a person did before: only where the producers key their records by subject.

Rules: session conditions and caps are refused unless the policy declares ``sources: {events.raw: {keyed_by:
subject}}``, since without it one person's records stand in several partitions and no worker sees them all;
``session.*`` is for conditions only, never a value or a field that leaves.
"""

from collections.abc import Iterator
from typing import Any

from tamis.bundles.document import Place
from tamis.bundles.problem import Problem
from tamis.bundles.rule_check import ways

RAW = "events.raw"
NEEDS = "needs a source declared keyed_by: subject (policy.yaml: sources: {events.raw: {keyed_by: subject}})"
PREFIX = "session."
_NO_FIELD = (PREFIX, "engagement.")


def check_sessions(rules: list[Place], destinations: list[Place], policy: Place | None) -> Iterator[Problem]:
    """All uses of sessions that are not possible; a policy that cannot be read (None) promises everything."""
    keyed = policy is None or policy.at("sources").at(RAW).text("keyed_by") == "subject"
    for rule in rules:
        yield from _kept_in(rule.at("value").at("path"))
        yield from _kept_in(rule.at("experiment").at("path"))
        if keyed:
            continue
        if rule.at("cap").value is not None:
            yield rule.at("cap").error(f"a cap {NEEDS}")
        for way in ways(rule):
            yield from _conditions(way.at("when"))
    for destination in destinations:
        for _, field in destination.at("fields").members():
            if field.text("from").startswith(_NO_FIELD):
                yield field.at("from").error(f'"{field.text("from")}" is for conditions and values, it does not leave')


def _kept_in(path: Place) -> Iterator[Problem]:
    if isinstance(path.value, str) and path.value.startswith(PREFIX):
        yield path.error(f'"{path.value}" is for conditions only')


def _conditions(condition: Place) -> Iterator[Problem]:
    if condition.text("path").startswith(PREFIX):
        yield condition.at("path").error(f'"{condition.text("path")}" {NEEDS}')
    if isinstance(condition.value, dict):
        for name in ("all", "any"):
            for part in condition.at(name).elements():
                yield from _conditions(part)
        if "not" in condition.value:
            yield from _conditions(condition.at("not"))


def uses_session(condition: Any) -> bool:
    """Whether a checked condition looks at ``session.*``."""
    if not isinstance(condition, dict):
        return False
    parts = [*condition.get("all", ()), *condition.get("any", ()), condition.get("not")]
    return str(condition.get("path", "")).startswith(PREFIX) or any(map(uses_session, parts))
