"""Depth of decoded values."""

from typing import Any

import pytest

from tamis.envelopes.nesting import exceeds


def nested(levels: int, *, lists: bool = False) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value] if lists else {"a": value}
    return value


@pytest.mark.parametrize("lists", [False, True])
@pytest.mark.parametrize("limit", [1, 2, 64])
def test_exactly_the_limit_is_allowed(limit: int, *, lists: bool) -> None:
    assert not exceeds(nested(limit, lists=lists), limit)
    assert exceeds(nested(limit + 1, lists=lists), limit)


def test_scalars_have_no_depth() -> None:
    assert not exceeds("{[{[", 1)
    assert not exceeds(None, 1)


def test_the_deepest_branch_counts() -> None:
    assert exceeds({"flat": 1, "list": [1, 2, {"deep": [nested(3)]}]}, 5)


def test_depth_costs_no_stack() -> None:
    assert exceeds(nested(200_000), 64)
