"""Amplitude: HTTP V2 bodies, forms, operations on properties, skew."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from tamis.domain.event import Event
from tests.support.decoding import NOW, entries, event, why

EVENT = {"event_type": "Signed Up", "device_id": "d-1", "user_id": "u-1", "time": 1_739_692_800_000,
         "insert_id": "i-1", "event_properties": {"plan": "pro"}, "event_id": 7}  # fmt: skip


def body(*events: Any, **outer: Any) -> dict[str, Any]:
    return {"api_key": "k", "events": list(events)} | outer


def test_an_event_of_a_batch() -> None:
    found = event(body(EVENT, client_upload_time="2025-02-16T08:00:05.000Z"))
    assert (found.vendor, found.kind, found.name, found.event_id) == ("amplitude", "track", "Signed Up", "i-1")
    assert (found.anonymous_id, found.user_id, found.properties) == ("d-1", "u-1", {"plan": "pro"})
    assert (found.occurred_at, found.sent_at) == (1_739_692_800_000, 1_739_692_805_000)


def test_the_older_forms() -> None:
    assert event(urlencode({"api_key": "k", "event": json.dumps([EVENT])})) == event(body(EVENT))
    old = event(urlencode({"client": "k", "e": json.dumps([EVENT]), "v": "2", "upload_time": "1739692805000"}))
    assert (old.name, old.sent_at) == ("Signed Up", 1_739_692_805_000)
    identify = {"user_id": "u-1", "user_properties": {"$set": {"plan": "pro"}}}
    found = event(urlencode({"api_key": "k", "identification": json.dumps([identify])}), "/identify")
    assert (found.kind, found.name, found.properties) == ("identify", "$identify", {"plan": "pro"})
    group = {"group_type": "company", "group_value": "g-1", "group_properties": {"$set": {"seats": 5}}}
    found = event(urlencode({"api_key": "k", "identification": json.dumps([group])}), "/groupidentify")
    assert (found.kind, found.context["group_id"], found.properties) == ("group", "g-1", {"seats": 5})


def test_set_wins_over_set_once_and_other_operations_keep_their_names() -> None:
    operations = {"$set": {"a": 2}, "$setOnce": {"a": 1, "b": 1}, "$add": {"n": 1}}
    found = event(body(EVENT | {"event_type": "$identify", "user_properties": operations}))
    assert found.properties == {"a": 2, "b": 1, "$add": {"n": 1}}


def test_revenue_fields_are_properties() -> None:
    found = event(body(EVENT | {"price": 9.5, "quantity": 2, "productId": "A-1", "revenue": 19}))
    assert found.properties == {"price": 9.5, "quantity": 2, "productId": "A-1", "revenue": 19, "plan": "pro"}


def test_a_client_that_is_ahead_is_set_back() -> None:
    ahead = body(EVENT | {"time": NOW + 3_000_000}, client_upload_time=NOW + 3_600_000)
    assert event(ahead).occurred_at == NOW - 600_000
    assert event(ahead, as_sent=True).occurred_at == NOW + 3_000_000


def test_an_unreadable_upload_time_decides_nothing() -> None:
    assert event(body(EVENT, client_upload_time="soon")).sent_at is None


def test_no_user_property_is_read_as_consent() -> None:
    found = event(body(EVENT | {"user_properties": {"consent_granted": ["ads"]}}))
    assert found.consent is None
    assert found.context["user_properties"] == {"consent_granted": ["ads"]}


@pytest.mark.parametrize(
    ("item", "refusal"),
    [
        (EVENT | {"event_type": None}, ("missing_field", "$.events[0].event_type")),
        (EVENT | {"time": "2025"}, ("bad_time", "$.events[0].time")),
        (EVENT | {"device_id": "", "user_id": None}, ("missing_field", "$.events[0].device_id")),
        (EVENT | {"user_id": True}, ("wrong_type", "$.events[0].user_id")),
        (EVENT | {"event_properties": "x"}, ("wrong_type", "$.events[0].event_properties")),
        (EVENT | {"event_properties": {"a": json.loads("[" * 70 + "]" * 70)}}, ("too_deep", "$")),
    ],
)
def test_refusals(item: Any, refusal: tuple[str, str]) -> None:
    assert why(body(item)) == refusal


def test_a_bad_item_spoils_no_other() -> None:
    assert [isinstance(entry, Event) for entry in entries(body(EVENT, None, EVENT))] == [True, False, True]
    assert why(body()) == ("empty", "$.events")
    assert why("api_key=k&event=%7B") == ("not_json", "$.event")
