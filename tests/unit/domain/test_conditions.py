"""Match conditions: each operator on values it fits, on values it does not, and on nothing."""

from typing import Any

import pytest

from tamis.domain.conditions import compile_condition
from tests.support.bundles import event

ABSENT = object()
BIG = 2**53


def holds(value: Any, **operators: Any) -> bool:
    properties = {} if value is ABSENT else {"x": value}
    return compile_condition({"path": "properties.x", **operators})(event(properties=properties))


@pytest.mark.parametrize(
    ("operators", "yes", "no"),
    [
        ({"eq": "pro"}, ["pro"], ["Pro", "", 1, True, None, ["pro"], {"pro": 1}]),
        ({"eq": 1}, [1, 1.0], [True, "1", 2]),
        ({"eq": True}, [True], [1, "true", False]),
        ({"eq": BIG + 1}, [BIG + 1], [BIG, float(BIG)]),
        ({"ne": "pro"}, ["team", ""], ["pro", 1, None, ABSENT, ["x"]]),
        ({"ne": 1}, [2, 0.5], [1, 1.0, True, "2", ABSENT]),
        ({"in": ["a", 1]}, ["a", 1, 1.0], ["b", True, "1", [], {}]),
        ({"in": [True]}, [True], [1, "True"]),
        ({"prefix": "/pri"}, ["/pricing"], ["pricing", 7, ["/pri"]]),
        ({"suffix": ".pdf"}, ["a.pdf"], ["a.pdfx", 7]),
        ({"contains": "law"}, ["tax law", ["law", 1]], ["Law", ["tax law"], {"law": 1}, 7]),
        ({"matches": r"^/p/\d+$"}, ["/p/12"], ["/p/x", 12, "x" * 5000]),
        ({"gt": 5}, [6, 5.1, 10**400], [5, "6", True, float("nan")]),
        ({"ge": 5}, [5, 6], [4, True, "5"]),
        ({"lt": 5}, [4, -(10**400)], [5, "4", False]),
        ({"le": BIG}, [BIG], [BIG + 1]),
        ({"ge": 1, "lt": 3}, [1, 2], [0, 3]),
        ({"exists": True}, ["", 0, False, [], {}], [None, ABSENT]),
        ({"exists": False}, [None, ABSENT], ["", 0, False, []]),
    ],
)
def test_operator(operators: dict[str, Any], yes: list[Any], no: list[Any]) -> None:
    assert [value for value in yes if not holds(value, **operators)] == []
    assert [value for value in no if holds(value, **operators)] == []


@pytest.mark.parametrize("name", ["eq", "ne", "in", "prefix", "suffix", "contains", "matches", "gt", "ge", "lt", "le"])
def test_missing_is_never_a_match(name: str) -> None:
    expected: Any = {"in": ["x"], "gt": 0, "ge": 0, "lt": 0, "le": 0}.get(name, "x")
    assert not holds(ABSENT, **{name: expected})
    assert not holds(None, **{name: expected})


def leaf(key: str) -> dict[str, Any]:
    return {"path": f"properties.{key}", "eq": "y"}


@pytest.mark.parametrize(
    ("condition", "keys", "expected"),
    [
        ({"all": [leaf("a"), leaf("b"), leaf("c")]}, "abc", True),
        ({"all": [leaf("a"), leaf("b"), leaf("c")]}, "ab", False),
        ({"all": [leaf("a"), leaf("b")]}, "a", False),
        ({"all": [leaf("a")]}, "a", True),
        ({"any": [leaf("a"), leaf("b")]}, "b", True),
        ({"any": [leaf("a"), leaf("b")]}, "c", False),
        ({"any": [leaf("a")]}, "", False),
        ({"not": leaf("a")}, "", True),
        ({"not": {"any": [leaf("a"), leaf("b")]}}, "b", False),
    ],
)
def test_combinations(condition: dict[str, Any], keys: str, expected: bool) -> None:
    assert compile_condition(condition)(event(properties=dict.fromkeys(keys, "y"))) is expected


def test_text_without_utf8_form_does_not_raise() -> None:
    assert not holds("\ud800", matches="^a$")
    assert holds("a\ud800", matches="^a")


def test_a_hostile_pattern_and_text_stay_linear() -> None:
    assert not holds("a" * 2_000 + "b", matches="^(a+)+$")


@pytest.mark.parametrize("condition", [{}, {"path": "user_id", "eq": "x"}, {"path": "name", "like": "x"}])
def test_unchecked_conditions_are_faults(condition: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"condition|path|operator"):
        compile_condition(condition)
