"""Matomo: forms, GET and bulk."""

from typing import Any
from urllib.parse import urlencode

import pytest

from tamis.domain.event import Event
from tests.support.decoding import entries, event, why

PAGE = {"idsite": "1", "rec": "1", "_id": "0123456789abcdef", "uid": "u-1", "url": "https://shop.example.test/a?q=1",
        "urlref": "https://www.example.com/", "action_name": "Home", "cdt": "1739692800", "dimension1": "pro",
        "token_auth": "secret", "rand": "77"}  # fmt: skip


def test_all_ways_of_sending_mean_the_same() -> None:
    found = event("", "https://matomo.example.test/matomo.php?" + urlencode(PAGE))
    assert (found.vendor, found.kind, found.name, found.event_id_derived) == ("matomo", "page", "Home", True)
    assert (found.anonymous_id, found.user_id, found.occurred_at) == ("0123456789abcdef", "u-1", 1_739_692_800_000)
    assert found.properties == {"action_name": "Home", "dimension1": "pro"}
    assert found.context["page"] == {"url": PAGE["url"], "referrer": PAGE["urlref"], "title": "Home"}
    assert event(urlencode(PAGE), "/matomo.php") == found
    assert event(urlencode(PAGE)) == found
    assert event({"requests": ["?" + urlencode(PAGE)], "token_auth": "secret"}) == found
    assert event({"requests": [urlencode(PAGE)]}) == found
    assert event({"requests": [PAGE | {"idsite": 1, "rec": True}]}) == found
    assert "secret" not in repr(found)


def test_hits_of_a_bulk_body_have_ids_of_their_own() -> None:
    found = entries({"requests": ["?" + urlencode(PAGE), "?" + urlencode(PAGE), 5, "?rec=1"]})
    good = [entry for entry in found if isinstance(entry, Event)]
    assert len({entry.event_id for entry in good}) == 2
    assert [(entry.reason, entry.path) for entry in found if not isinstance(entry, Event)] == [
        ("wrong_type", "$.requests[2]"),
        ("missing_field", "$.requests[3].idsite"),
    ]


@pytest.mark.parametrize(
    ("fields", "kind", "name"),
    [
        ({"e_c": "video", "e_a": "play", "e_v": "1.5"}, "track", "play"),
        ({"idgoal": "3", "revenue": "9.5"}, "track", "goal"),
        ({"idgoal": "0", "ec_id": "o-1"}, "track", "order"),
        ({"idgoal": "0", "ec_items": "[]"}, "track", "cart_update"),
        ({"search": "shoes"}, "track", "search"),
        ({"download": "https://a.example.test/x.pdf"}, "track", "download"),
        ({"link": "https://b.example.test/"}, "track", "outlink"),
        ({"c_n": "banner", "c_i": "click"}, "track", "content_interaction"),
        ({"ping": "1"}, "auto", "ping"),
    ],
)
def test_kinds(fields: dict[str, str], kind: str, name: str) -> None:
    found = event(urlencode(PAGE | fields))
    assert (found.kind, found.name) == (kind, name)
    assert fields.items() <= found.properties.items()


@pytest.mark.parametrize(
    "text", ["1739692800", "2025-02-16 08:00:00", "2025-02-16T08:00:00Z", "2025-02-16T09:00:00+01:00"]
)
def test_times_are_utc(text: str) -> None:
    assert event(urlencode(PAGE | {"cdt": text})).occurred_at == 1_739_692_800_000


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"cdt": "yesterday"}, ("bad_time", "$.cdt")),
        ({"_id": "", "uid": ""}, ("missing_field", "$._id")),
        ({"idsite": ""}, ("missing_field", "$.idsite")),
    ],
)
def test_refusals(fields: dict[str, Any], refusal: tuple[str, str]) -> None:
    assert why(urlencode(PAGE | fields)) == refusal


def test_bulk_bodies_without_a_usable_list() -> None:
    assert why({"requests": []}) == ("empty", "$.requests")
    assert why({"requests": 5}, vendor="matomo") == ("wrong_type", "$.requests")
    assert why("{}", vendor="matomo") == ("unknown_envelope", "$")
    assert why("hello", vendor="matomo") == ("not_json", "$")
