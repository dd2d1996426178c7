"""Paths into an event."""

import pytest

from tamis.domain.paths import Path, getter, parse_path, required_path
from tests.support.bundles import event

EVENT = event(
    "Pricing",
    "page",
    {"plan": "team", "list": [{"sku": "A"}, {"sku": "B"}], "a.b": {"c d": 1}, "7": "seven", "none": None},
    page={"path": "/pricing"},
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("name", "Pricing"),
        ("kind", "page"),
        ("vendor", "segment"),
        ("properties.plan", "team"),
        ("context.page.path", "/pricing"),
        ('properties."a.b"."c d"', 1),
        ("properties.list.1.sku", "B"),
        ("properties.7", "seven"),
        ("properties.none", None),
        ("properties.none.deeper", None),
        ("properties.plan.deeper", None),
        ("properties.list.2.sku", None),
        ("properties.list.-1", None),
        ("properties.list.sku", None),
        ("context.absent.path", None),
    ],
)
def test_value_at_a_path(text: str, value: object) -> None:
    assert getter(required_path(text))(EVENT) == value


@pytest.mark.parametrize(
    "text",
    [
        "", "plan", "properties", "context", "properties.", ".properties", "properties..plan", "name.first", "user_id",
        "anonymous_id", "properties.a b", "properties.[0]", 'properties."a', "context.a.b.c.d.e.f.g.h.i",
        "properties." + "x" * 300, "event_id", "consent.choices", "propertiesplan", "properties plan",
    ],
)  # fmt: skip
def test_what_is_no_path(text: str) -> None:
    assert parse_path(text) is None


def test_unchecked_text_is_a_fault() -> None:
    with pytest.raises(ValueError, match="not a path"):
        required_path("user_id")


def test_path_parts() -> None:
    assert parse_path('context."x.y".z') == Path("context", ("x.y", "z"))
