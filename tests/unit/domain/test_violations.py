"""What is wrong with an event by its rule."""

from typing import Any

import pytest

from tamis.bundles.compile import compile_rule
from tamis.domain.violations import MAX_FOUND, ViolationKind
from tests.support.bundles import event

FIXED = {"id": "r", "version": 1, "owner": "o", "sla": "4h", "stage": "intent", "destinations": ["clean"]}
ITEM = {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}}}
SCHEMA = {
    "required": ["plan", "price"],
    "properties": {
        "plan": {"type": "string", "enum": ["free", "pro"]},
        "price": {"type": "number", "minimum": 0},
        "items": {
            "type": "array",
            "items": {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}}},
        },
    },
    "additionalProperties": False,
}
RULE = compile_rule({**FIXED, "match": {"events": ["A"]}, "schema": SCHEMA})


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"plan": "pro", "price": 0}, []),
        ({"plan": "pro"}, [("required_missing", "properties.price")]),
        ({"plan": "gold", "price": 1}, [("bad_value", "properties.plan")]),
        ({"plan": 3, "price": "1"}, [("wrong_type", "properties.plan"), ("wrong_type", "properties.price")]),
        ({"plan": "pro", "price": True}, [("wrong_type", "properties.price")]),
        ({"plan": "pro", "price": -1}, [("bad_value", "properties.price")]),
        ({"plan": "pro", "price": 1, "jane@example.test": 1}, [("additional_property", "properties")]),
        ({"plan": "pro", "price": 1, "items": [{"sku": "a"}, {}]}, [("required_missing", "properties.items[].sku")]),
    ],
)
def test_kinds_and_places(properties: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert [(each.kind.value, each.path) for each in RULE.check(event(properties=properties))] == expected


def test_a_rule_without_a_schema_finds_nothing() -> None:
    assert compile_rule({**FIXED, "match": {"events": ["A"]}}).check(event()) == ()


def test_what_is_told_is_bounded() -> None:
    found = RULE.check(event(properties={"plan": "pro", "price": 1, "items": [{}] * 10_000}))
    assert len(found) == MAX_FOUND
    assert {each.kind for each in found} == {ViolationKind.REQUIRED_MISSING}
