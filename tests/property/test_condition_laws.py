"""Laws of match conditions: they never raise, negation is exact, and the rule index changes nothing."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tamis.bundles.compile import compile_rule
from tamis.bundles.exclusion import exclusive
from tamis.domain.conditions import compile_condition
from tamis.domain.rules import RuleSet
from tests.support.bundles import event

KEYS = st.sampled_from(["a", "b", "0"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3))
EVENTS = st.builds(
    event,
    st.sampled_from(["A", "B", "C"]),
    st.sampled_from(["track", "page"]),
    st.dictionaries(KEYS, JSON, max_size=3),
)
CONFIGURED = st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "1", 0.5, 2**60])
NUMBERS = st.integers(-3, 3) | st.floats(-3, 3)
OPERATORS = st.fixed_dictionaries(
    {},
    optional={
        "eq": CONFIGURED, "ne": CONFIGURED, "in": st.lists(CONFIGURED, min_size=1, max_size=3),
        "prefix": st.text("a1", max_size=2), "contains": st.text("a1", max_size=2), "matches": st.just("^a"),
        "gt": NUMBERS, "ge": NUMBERS, "lt": NUMBERS, "le": NUMBERS, "exists": st.booleans(),
    },
).filter(bool)  # fmt: skip
LEAVES = st.builds(
    lambda path, operators: {"path": path, **operators},
    st.sampled_from(["properties.a", "properties.b.0", "name", "kind"]),
    OPERATORS,
)
CONDITIONS: st.SearchStrategy[dict[str, Any]] = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds(lambda parts: {"all": parts}, st.lists(inner, min_size=1, max_size=3))
        | st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=3))
        | st.builds(lambda part: {"not": part}, inner)
    ),
    max_leaves=6,
)


@given(CONDITIONS, EVENTS)
def test_a_condition_says_yes_or_no(condition: dict[str, Any], seen: Any) -> None:
    found = compile_condition(condition)(seen)
    assert isinstance(found, bool)
    assert compile_condition({"not": condition})(seen) is not found


@given(LEAVES, LEAVES, EVENTS)
def test_conditions_that_exclude_each_other_never_hold_together(
    one: dict[str, Any], other: dict[str, Any], seen: Any
) -> None:
    both = compile_condition({"all": [one, other]})(seen)
    assert not (both and exclusive(one, other))


TRIGGERS = st.fixed_dictionaries(
    {},
    optional={
        "events": st.lists(st.sampled_from(["A", "B"]), min_size=1, max_size=2, unique=True),
        "kinds": st.lists(st.sampled_from(["track", "page"]), min_size=1, max_size=2, unique=True),
        "when": LEAVES,
    },
).filter(lambda way: "events" in way or "kinds" in way)
RULES = st.lists(st.lists(TRIGGERS, min_size=1, max_size=2), max_size=5)
FIXED = {"version": 1, "owner": "o", "sla": "1h", "stage": "intent", "destinations": ["clean"]}


@given(RULES, EVENTS)
def test_the_index_finds_what_trying_all_rules_finds(matches: list[Any], seen: Any) -> None:
    compiled = tuple(
        compile_rule({**FIXED, "id": f"r{number}", "match": match}) for number, match in enumerate(matches)
    )
    assert RuleSet(compiled).match(seen) is next((rule for rule in compiled if rule.matches(seen)), None)
