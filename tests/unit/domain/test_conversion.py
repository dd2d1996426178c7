"""What a conversion is worth."""

from typing import Any

import pytest

from tamis.domain.conversion import compile_value
from tests.support.bundles import event


def test_none_and_fixed() -> None:
    assert compile_value(None)(event()) is None
    assert compile_value(5)(event()) == 5.0


@pytest.mark.parametrize(
    ("found", "value"),
    [(12, 12.0), (0, 0.0), (12.5, 12.5), (100, 100.0), (100.5, None), (-1, None), (True, None), ("12", None),
     (None, None), ([], None), (10**400, None), (float("inf"), None), (float("nan"), None)],
)  # fmt: skip
def test_from_a_property(found: Any, value: float | None) -> None:
    assert compile_value({"path": "properties.price", "max": 100})(event(properties={"price": found})) == value
