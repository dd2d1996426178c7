"""Warnings."""

from typing import Any

import pytest

from tamis.bundles.document import Document, top
from tamis.bundles.exclusion import exclusive
from tamis.bundles.lint import MAX_PER_STAGE, lint

PERCENT = "properties.percent"


def rule(name: str, *match: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "stage": "intent",
        "expected_by": "none",
        "match": list(match),
        "destinations": ["clean"],
        **more,
    }


def warnings(*rules: dict[str, Any], destinations: tuple[dict[str, Any], ...] = ()) -> list[str]:
    ruled = top(Document("rules.yaml", {"rules": list(rules)}, {})).at("rules")
    others = top(Document("destinations.yaml", list(destinations), {}))
    return [problem.message for problem in lint(list(ruled.elements()), list(others.elements()))]


def events(*names: str, when: Any = None, kinds: tuple[str, ...] = ()) -> dict[str, Any]:
    found: dict[str, Any] = {"events": list(names)} if names else {}
    if kinds:
        found["kinds"] = list(kinds)
    return found | ({"when": when} if when else {})


PRO = {"path": "properties.plan", "eq": "pro"}
BIG = {"path": "properties.price", "ge": 100}


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (events("A"), events("A")),
        (events("A", "B"), events("A", when=PRO)),
        (events(kinds=("page",)), events(kinds=("page",), when=PRO)),
        (events(kinds=("page",)), events("A", kinds=("page",))),
        (events("A"), events("A", kinds=("page", "track"))),
    ],
)
def test_unreachable(earlier: dict[str, Any], later: dict[str, Any]) -> None:
    assert warnings(rule("a", earlier), rule("b", later)) == [
        'rule "b" is unreachable: "a" takes all its events before'
    ]


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (events("A"), events("A", "B")),
        (events("A", when=PRO), events("A")),
        (events("A", kinds=("page",)), events("A")),
        (events(kinds=("page",)), events("A")),
        (events("A"), events(kinds=("page",))),
        (events("A", when=PRO), events("B", when=PRO)),
        (events("A", when=PRO), events("A", when={"path": "properties.plan", "in": ["team", "free"]})),
        (events("A", when={"path": PERCENT, "lt": 75}), events("A", when={"path": PERCENT, "ge": 75})),
    ],
)
def test_fine_beside_each_other(earlier: dict[str, Any], later: dict[str, Any]) -> None:
    assert warnings(rule("a", earlier), rule("b", later)) == []


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (events("A", when=PRO), events("A", when=BIG)),
        (events("A", when={"path": PERCENT, "ge": 25}), events("A", "B", when={"path": PERCENT, "ge": 75})),
        (events(kinds=("page",), when=PRO), events(kinds=("page", "track"), when=BIG)),
    ],
)
def test_overlap(earlier: dict[str, Any], later: dict[str, Any]) -> None:
    expected = 'rule "b" overlaps "a": where both match, "a" wins because it stands first'
    assert warnings(rule("a", earlier), rule("b", later)) == [expected]


def test_rules_that_are_off_do_not_count() -> None:
    assert warnings(rule("a", events("A"), mode="off"), rule("b", events("A"))) == []


def test_too_many_rules_in_a_stage() -> None:
    many = [rule(f"r{number}", events(f"E{number}")) for number in range(MAX_PER_STAGE + 2)]
    assert warnings(*many) == ['more than 10 active rules in stage "intent": over-tracking']
    assert warnings(*many[:MAX_PER_STAGE]) == []


def test_expected_by_is_asked_for() -> None:
    silent = rule("a", events("A"))
    del silent["expected_by"]
    assert warnings(silent) == ['rule "a" lacks "expected_by": a time of day, or none']


def test_a_destination_that_receives_nothing() -> None:
    named, unnamed = {"id": "clean"}, {"id": "hubspot", "accepts": "tagged"}
    found = warnings(rule("a", events("A")), destinations=(named, unnamed, {"id": "all", "accepts": "all"}))
    assert found == ['no active rule names destination "hubspot": it receives nothing']


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({"path": "name", "eq": "a"}, {"path": "name", "eq": "b"}, True),
        ({"path": "name", "eq": "a"}, {"path": "kind", "eq": "b"}, False),
        ({"path": "name", "eq": True}, {"path": "name", "eq": 1}, True),
        ({"path": "name", "in": [1, 2]}, {"path": "name", "in": [2, 3]}, False),
        ({"path": "name", "exists": False}, {"path": "name", "eq": "b"}, True),
        ({"path": "name", "exists": False}, {"path": "name", "exists": False}, False),
        ({"path": "name", "gt": 5}, {"path": "name", "le": 5}, True),
        ({"path": "name", "ge": 5}, {"path": "name", "le": 5}, False),
        ({"all": [{"path": "a", "eq": 1}, {"path": "b", "eq": 1}]}, {"all": [{"path": "b", "eq": 2}]}, True),
        ({"any": [{"path": "a", "eq": 1}]}, {"path": "a", "eq": 2}, False),
        ({"not": {"path": "a", "eq": 1}}, {"path": "a", "eq": 1}, False),
        ("text", None, False),
    ],
)
def test_exclusion(one: Any, other: Any, expected: bool) -> None:
    assert exclusive(one, other) is expected
    assert exclusive(other, one) is expected
