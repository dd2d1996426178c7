"""Conditions as people wrote them: what their shape alone does not show.

Rules: a condition has exactly one form (all, any, not, or a path with operators); paths and patterns are valid; depth
and size are bounded.
"""

from collections.abc import Iterator

from tamis.bundles.document import Place
from tamis.bundles.problem import Problem
from tamis.domain.paths import parse_path
from tamis.domain.patterns import pattern_fault

FORMS = ("all", "any", "not", "path")
MAX_DEPTH = 8
PATH_HINT = (
    "a path is name, kind, vendor, properties.<key> or context.<key> with deeper keys joined by dots, "
    "engagement.time_on_page, engagement.scroll_depth, session.events, session.pages or session.seconds"
)


def check_condition(condition: Place, depth: int = 1) -> Iterator[Problem]:
    """What is wrong with a condition and those within it."""
    if not isinstance(condition.value, dict):
        return
    forms = [form for form in FORMS if form in condition.value]
    others = [key for key in condition.value if key not in FORMS]
    if depth > MAX_DEPTH:
        yield condition.error(f"conditions nested deeper than {MAX_DEPTH} levels")
    elif len(forms) != 1:
        yield condition.error("a condition has exactly one of all, any, not and path")
    elif forms == ["path"]:
        yield from _leaf(condition, others)
    elif others:
        yield condition.at(others[0]).error(f'"{others[0]}" needs a path beside it, not {forms[0]}')
    elif forms == ["not"]:
        yield from check_condition(condition.at("not"), depth + 1)
    else:
        for part in condition.at(forms[0]).elements():
            yield from check_condition(part, depth + 1)


def _leaf(condition: Place, operators: list[str]) -> Iterator[Problem]:
    yield from check_path(condition.at("path"))
    if not operators:
        yield condition.error("a path needs an operator beside it, such as eq, in, ge or exists")
    pattern = condition.value.get("matches")
    if isinstance(pattern, str):
        fault = pattern_fault(pattern)
        if fault:
            yield condition.at("matches").error(f"not a usable pattern: {fault}")


def check_path(path: Place) -> Iterator[Problem]:
    """What is wrong with a path."""
    if isinstance(path.value, str) and parse_path(path.value) is None:
        yield path.error(f'bad path "{path.value}": {PATH_HINT}')
