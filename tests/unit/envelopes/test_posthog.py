"""PostHog: every form of body, whose an id is, and what an identify states."""

import base64
import gzip
import json
from typing import Any
from urllib.parse import quote

import pytest

from tamis.domain.event import Event
from tests.support.decoding import NOW, entries, event, why

EVENT: dict[str, Any] = {"event": "Signed Up", "distinct_id": "x-1", "uuid": "i-1", "timestamp": "2025-02-16T08:00:00Z",
                         "properties": {"plan": "pro"}}  # fmt: skip
KEYED = {"api_key": "phc_1"}


def packed(value: Any) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize(
    ("body", "endpoint"),
    [
        (KEYED | EVENT, "/i/v0/e/"),
        (EVENT, "/capture/"),
        (KEYED | {"batch": [EVENT]}, "/batch/"),
        ([EVENT], "/e/?compression=gzip-js"),
        ({"batch": [EVENT]}, "/i/v1/analytics/events"),
        ("data=" + quote(packed(EVENT)) + "&compression=base64", "/e/"),
        (packed([EVENT]), "/e/?compression=base64"),
        (gzip.compress(json.dumps([EVENT]).encode()), "/e/?compression=gzip-js&ver=1"),
        ({"data": [EVENT], "api_key": "phc_1"}, "/e/"),
    ],
)
def test_every_form_means_the_same(body: Any, endpoint: str) -> None:
    found = event(body, endpoint)
    assert (found.vendor, found.name, found.event_id) == ("posthog", "Signed Up", "i-1")
    assert (found.occurred_at, found.properties) == (1_739_692_800_000, {"plan": "pro"})


@pytest.mark.parametrize(
    ("name", "facts", "device", "person"),
    [
        ("Signed Up", {}, None, None),
        ("Signed Up", {"$device_id": "d-1", "$user_id": "x-1"}, "d-1", "x-1"),
        ("Signed Up", {"$device_id": "d-1"}, "d-1", None),
        ("Signed Up", {"$device_id": "d-1", "$is_identified": True}, "d-1", "x-1"),
        ("Signed Up", {"$is_identified": False}, "x-1", None),
        ("Signed Up", {"$is_identified": True}, None, "x-1"),
        ("$identify", {"$anon_distinct_id": "d-2"}, "d-2", "x-1"),
        ("$set", {"$set": {"a": 1}}, None, None),
    ],
)
def test_whose_an_id_is(name: str, facts: dict[str, Any], device: str | None, person: str | None) -> None:
    found = event(KEYED | EVENT | {"event": name, "properties": facts})
    assert (found.anonymous_id, found.user_id) == (device, person)


def test_the_operator_can_say_whose_a_single_id_is() -> None:
    assert event(KEYED | EVENT, single_id="person").user_id == "x-1"
    assert event(KEYED | EVENT, single_id="device").anonymous_id == "x-1"


def test_an_identify_states_set_over_set_once_wherever_they_stand() -> None:
    inner = {"$set": {"a": 2}, "$set_once": {"a": 1, "b": 1}, "$current_url": "https://a.example.test/"}
    found = event(KEYED | EVENT | {"event": "$identify", "properties": inner, "$set": {"c": 3}})
    assert (found.kind, found.properties) == ("identify", {"a": 2, "b": 1, "c": 3})
    assert found.context["page"] == {"url": "https://a.example.test/"}


def test_a_group_and_an_alias() -> None:
    group = {"$group_type": "company", "$group_key": "g-1", "$group_set": {"name": "Initech"}}
    found = event(KEYED | EVENT | {"event": "$groupidentify", "properties": group})
    assert (found.kind, found.context["group_id"], found.properties) == ("group", "g-1", {"name": "Initech"})
    assert event(KEYED | EVENT | {"event": "$create_alias", "properties": {"alias": "y"}}).context["alias"] == "y"


def test_times() -> None:
    batch = {"api_key": "k", "sent_at": "2025-02-16T09:00:00Z", "batch": [EVENT | {"timestamp": None, "offset": 5_000}]}
    assert event(batch).occurred_at == 1_739_696_395_000
    assert event(KEYED | EVENT | {"timestamp": "2025-02-16T08:00:00"}).occurred_at == 1_739_692_800_000
    ahead = {"timestamp": "2036-11-22T03:00:00Z", "sent_at": "2036-11-22T04:00:00Z"}
    assert event(KEYED | EVENT | ahead).occurred_at == NOW - 3_600_000


def test_ids_and_keys_are_no_properties() -> None:
    facts = {
        "token": "phc_1",
        "distinct_id": "x-1",
        "$device_id": "d-1",
        "$user_id": "u",
        "$anon_distinct_id": "d",
        "a": 1,
    }
    assert event(KEYED | EVENT | {"properties": facts}).properties == {"a": 1}


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"event": ""}, ("missing_field", "$.batch[0].event")),
        ({"timestamp": 1_770_000_000}, ("bad_time", "$.batch[0].timestamp")),
        ({"distinct_id": None}, ("missing_field", "$.batch[0].distinct_id")),
        ({"distinct_id": {}}, ("wrong_type", "$.batch[0].distinct_id")),
        ({"properties": []}, ("wrong_type", "$.batch[0].properties")),
    ],
)
def test_refusals(changes: dict[str, Any], refusal: tuple[str, str]) -> None:
    assert why(KEYED | {"batch": [EVENT | changes]}) == refusal


def test_a_bad_item_spoils_no_other() -> None:
    assert [isinstance(found, Event) for found in entries(KEYED | {"batch": [EVENT, 5, EVENT]})] == [True, False, True]


def test_items_that_look_like_calls_are_posthogs_where_the_address_says_so() -> None:
    old = EVENT | {"type": "identify", "library": "posthog-node", "event": "$identify", "$set": {"a": 1}}
    assert event(KEYED | {"batch": [old]}, "https://app.posthog.com/batch/").vendor == "posthog"
