"""A rule's compiled schema agrees with JSON Schema itself, and never raises."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tamis.domain.property_schema import KEYWORDS, compile_schema
from tamis.domain.violations import MAX_FOUND
from tests.support.bundles import event

KINDS = ("string", "number", "integer", "boolean", "object", "array", "null")
NAMES = st.sampled_from(["a", "b", "c"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([0.0, 1.0, 1.5, -2.0]),
    st.sampled_from(["", "a", "ab", "é"]),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=6
)


def schemas(depth: int) -> st.SearchStrategy[dict[str, Any]]:
    simple: dict[str, st.SearchStrategy[Any]] = {
        "type": st.sampled_from(KINDS) | st.lists(st.sampled_from(KINDS), min_size=1, max_size=3, unique=True),
        "enum": st.lists(VALUES, min_size=1, max_size=3),
        "const": VALUES,
        "minimum": st.integers(-2, 2),
        "maximum": st.integers(-2, 2),
        "exclusiveMinimum": st.integers(-2, 2),
        "exclusiveMaximum": st.integers(-2, 2),
        "minLength": st.integers(0, 2),
        "maxLength": st.integers(0, 2),
        "pattern": st.sampled_from(["^a", "b$", "^$"]),
        "minItems": st.integers(0, 2),
        "maxItems": st.integers(0, 2),
    }
    if depth:
        inner = schemas(depth - 1)
        simple |= {
            "items": inner,
            "properties": st.dictionaries(NAMES, inner, max_size=2),
            "required": st.lists(NAMES, max_size=2, unique=True),
            "additionalProperties": st.booleans(),
        }
    assert set(simple) <= set(KEYWORDS)
    return st.fixed_dictionaries({}, optional=simple)


@given(schemas(2), st.dictionaries(NAMES, VALUES, max_size=3))
def test_no_violations_exactly_when_the_value_is_valid(schema: dict[str, Any], properties: dict[str, Any]) -> None:
    spec = {name: value for name, value in schema.items() if name in ("properties", "required", "additionalProperties")}
    found = compile_schema(spec)(event(properties=properties))
    assert (found == ()) == Draft202012Validator({"type": "object", **spec}).is_valid(properties)


@given(schemas(2), VALUES)
def test_any_value_within(schema: dict[str, Any], value: Any) -> None:
    found = compile_schema({"properties": {"a": schema}})(event(properties={"a": value}))
    assert (found == ()) == Draft202012Validator(schema).is_valid(value)
    assert len(found) <= MAX_FOUND
