"""Laws of field selection, on any JSON value: only listed names, only permitted values, never an exception."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tamis.domain.minimise.projection import Field, compile_projection
from tamis.domain.minimise.text import MAX_TEXT_CHARS
from tamis.domain.paths import getter, required_path
from tests.support.bundles import event, reference_bundle

KEYS = st.sampled_from(
    ["plan", "price", "page", "url", "path", "ip", "userAgent", "campaign", "source", "0", "referrer"]
)
ADDRESSES = st.builds(
    "{}://{}{}?{}={}#{}".format,
    st.sampled_from(["http", "https", "HTTPS", "app"]),
    st.sampled_from(["a.test", "jane:pw@a.test", "", "[::1]", "a b"]),
    st.sampled_from(["", "/", "/x/y", "/j@x.test", "//", "\\x"]),
    st.text(max_size=5),
    st.text(max_size=5),
    st.text(max_size=5),
)
ANY_TEXT = st.text(st.characters(), max_size=30)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT | ADDRESSES
    | st.sampled_from(["203.0.113.7", "2001:db8::1", "2026-11-20T10:00:00Z", "x" * 3_000, "é" * 3_000, 10**400])
)  # fmt: skip
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4))
OBJECTS = st.dictionaries(KEYS, JSON, max_size=6)

PATHS = ("properties.plan", "properties.price", "properties.page.url", "properties.page.0", "context.ip",
         "context.userAgent", "context.page.url", "context.page.path", "context.page.referrer",
         "context.campaign.source", "name")  # fmt: skip
OPTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("keep", {}), ("drop", {}), ("truncate", {"chars": 3}), ("bucket", {"size": 50}), ("bucket", {"size": 0.5}),
    ("bucket", {"every_ms": 3_600_000}), ("generalise", {"as": "ip"}), ("generalise", {"as": "url"}),
    ("generalise", {"as": "referrer"}), ("generalise", {"as": "user_agent"}),
)  # fmt: skip
FIELDS = [
    Field(f"f{i}_{j}", required_path(path), action, options)
    for i, path in enumerate(PATHS)
    for j, (action, options) in enumerate(OPTIONS)
]
BY_NAME = {field.name: field for field in FIELDS}
PROJECT = compile_projection(FIELDS)


@given(ANY_TEXT, OBJECTS, OBJECTS)
def test_only_permitted_values_leave(name: str, properties: dict[str, Any], context: dict[str, Any]) -> None:
    seen = event(name, properties=properties, **context)
    for key, value in PROJECT(seen).items():
        field = BY_NAME[key]
        assert permitted(field, getter(field.path)(seen), value), (field, value)


def permitted(field: Field, sent: Any, out: Any) -> bool:
    """Whether an action may make ``out`` of ``sent``: an oracle that knows the promise, not the code."""
    if type(out) not in (str, int, float, bool) or isinstance(sent, dict | list) or sent is None:
        return False
    if isinstance(out, str):
        return 0 < len(out) <= MAX_TEXT_CHARS and encodable(out) and permitted_text(field, sent, out)
    if field.action == "bucket":
        return bool(-(2**63) <= out <= 2**63 - 1)
    return bool(field.action == "keep" and type(out) is type(sent) and out == sent and abs(out) < 2**1024)


def permitted_text(field: Field, sent: Any, out: str) -> bool:
    if not isinstance(sent, str):
        return False
    kind = field.options.get("as")
    if kind == "ip":
        return out.endswith(("/24", "/48"))
    if kind == "user_agent":
        return len(out.split(" ")) == 3 and out.replace(" ", "").isalpha()
    if kind in ("url", "referrer"):
        return not any(mark in out for mark in "?#;@ ") or (out.startswith("/") and out in sent)
    if field.action == "truncate" and len(out) > 3:
        return False
    return field.action in ("keep", "truncate") and without_query(sent, out)


def without_query(sent: str, out: str) -> bool:
    low = sent.lstrip().lower()
    if low.startswith(("http://", "https://")):
        return not any(mark in out for mark in "?#;@")
    return out[0] in sent


def encodable(text: str) -> bool:
    return text.encode("utf-8", "ignore").decode() == text


@given(ANY_TEXT, OBJECTS, OBJECTS)
def test_shipped_destinations_send_listed_names_only(
    name: str, properties: dict[str, Any], context: dict[str, Any]
) -> None:
    for destination in reference_bundle().destinations:
        assert set(destination.project(event(name, properties=properties, **context))) <= set(destination.field_names)


@given(SCALARS, OBJECTS, OBJECTS)
def test_what_is_not_listed_has_no_influence(plan: Any, noise: dict[str, Any], context: dict[str, Any]) -> None:
    project = compile_projection([Field("plan", required_path("properties.plan"), "keep")])
    assert project(event(properties={**noise, "plan": plan}, **context)) == project(event(properties={"plan": plan}))
