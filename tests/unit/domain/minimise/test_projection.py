"""Allow-lists as one function."""

from typing import Any

import pytest

from tamis.domain.minimise.projection import Field, compile_projection
from tamis.domain.paths import Path, required_path
from tests.support.bundles import event


def field(name: str, path: str, action: str = "keep", **options: Any) -> Field:
    return Field(name, required_path(path), action, options)


PROJECT = compile_projection(
    [
        field("plan", "properties.plan"),
        field("first_sku", "properties.products.0.sku"),
        field("first", "properties.list.0"),
        field("source", "context.campaign.source"),
        field("medium", "context.campaign.medium", "truncate", chars=3),
        field("network", "context.ip", "generalise", **{"as": "ip"}),
        field("band", "properties.price", "bucket", size=50),
        field("page", "context.page.url"),
        field("what", "name", "truncate", chars=20),
        field("email", "properties.email", "drop"),
    ]
)


def test_only_what_is_listed_leaves() -> None:
    seen = event(
        "Wishlist Add",
        properties={
            "plan": "team", "email": "jane@example.test", "price": 149, "list": ["a", "b"],
            "products": [{"sku": "A-1", "buyer": "jane"}],
        },
        ip="203.0.113.77", campaign={"source": "mail", "medium": "email", "term": "x"},
        page={"url": "https://shop.example.test/p?email=jane@example.test"}, traits={"email": "jane@example.test"},
    )  # fmt: skip
    assert PROJECT(seen) == {
        "plan": "team", "first_sku": "A-1", "first": "a", "source": "mail", "medium": "ema",
        "network": "203.0.113.0/24", "band": 100, "page": "https://shop.example.test/p", "what": "Wishlist Add",
    }  # fmt: skip


@pytest.mark.parametrize("odd", [None, [], {}, "text", 7, True, [[]], {"0": {}}, [None], {"plan": {"a": 1}}])
def test_other_shapes_leave_fields_out(odd: Any) -> None:
    properties = {"plan": [odd], "products": odd, "list": {"x": odd}, "price": [odd]}
    seen = event("", properties=properties, ip=[odd], campaign=odd, page=odd)
    assert PROJECT(seen) == {}


def test_nothing_listed_nothing_leaves() -> None:
    nothing = compile_projection([field("plan", "properties.plan", "drop")])
    assert nothing(event(properties={"plan": "team"})) == {}


def test_fields_come_in_the_order_of_the_list() -> None:
    project = compile_projection([field("b", "context.x"), field("a", "properties.x"), field("c", "context.y")])
    assert list(project(event(properties={"x": 1}, x=2, y=3))) == ["b", "a", "c"]


@pytest.mark.parametrize("odd", ["'", "'] = 1; raise #", "a\\", "\n", "{value}"])
def test_no_name_or_key_is_read_as_code(odd: str) -> None:
    places = [Path("properties", (odd,)), Path("context", (odd, odd))]
    project = compile_projection([Field(f"{odd}{n}", place, "keep", {}) for n, place in enumerate(places)])
    context: Any = {odd: {odd: 2}}
    assert project(event(properties={odd: 1}, **context)) == {f"{odd}0": 1, f"{odd}1": 2}
