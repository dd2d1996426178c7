"""CloudEvents: structured, batched, binary over Kafka and relayed from HTTP."""

import base64
import json
from typing import Any

import pytest

from tamis.domain.event import Event
from tests.support.decoding import entries, event, why

DATA = {"name": "Signed Up", "user_id": "u-1", "anonymous_id": "d-1", "properties": {"plan": "pro"}}
EVENT: dict[str, Any] = {"specversion": "1.0", "id": "i-1", "source": "/shop", "type": "test.shop.track",
                         "time": "2025-02-16T09:00:00+01:00", "data": DATA}  # fmt: skip
KAFKA = {"ce_specversion": "1.0", "ce_id": "i-1", "ce_source": "/shop", "ce_type": "test.shop.track",
         "ce_time": "2025-02-16T08:00:00Z", "content-type": "application/json"}  # fmt: skip


def test_all_modes_mean_the_same() -> None:
    found = event(EVENT)
    assert (found.vendor, found.kind, found.name, found.event_id) == ("cloudevents", "track", "Signed Up", "i-1")
    assert (found.anonymous_id, found.user_id, found.properties) == ("d-1", "u-1", {"plan": "pro"})
    assert found.occurred_at == 1_739_692_800_000
    assert entries([EVENT, EVENT]) == [found, found]
    assert event(DATA, headers=KAFKA) == found
    assert event(DATA, headers={name.replace("ce_", "CE-"): value for name, value in KAFKA.items()}) == found
    encoded = EVENT | {"data": None, "data_base64": base64.b64encode(json.dumps(DATA).encode()).decode()}
    assert event(encoded) == found


def test_header_values_are_percent_encoded_by_http_only() -> None:
    assert event(DATA, headers=KAFKA | {"ce_id": "a%20b"}).event_id == "a%20b"
    http = {name.replace("ce_", "ce-"): value for name, value in KAFKA.items()}
    assert event(DATA, headers=http | {"ce-id": "a%20b"}).event_id == "a b"


def test_binary_data_that_looks_like_a_call_is_still_a_cloud_event() -> None:
    call = {"type": "track", "event": "x", "userId": "u-2", "messageId": "m"}
    found = event(call, headers=KAFKA)
    assert (found.vendor, found.name, found.user_id, found.event_id) == ("cloudevents", "x", "u-2", "i-1")


@pytest.mark.parametrize(
    ("last", "kind", "name"),
    [("identify", "identify", "identify"), ("Page", "page", "page"), ("group", "group", "group"),
     ("alias", "alias", "alias"), ("created", "track", "com.shop.created")],
)  # fmt: skip
def test_the_type_tells_the_kind_and_names_what_has_no_name(last: str, kind: str, name: str) -> None:
    found = event(EVENT | {"type": f"com.shop.{last}", "data": {"user_id": "u-1"}})
    assert (found.kind, found.name) == (kind, name)


def test_without_properties_the_rest_of_the_data_counts_as_them() -> None:
    found = event(EVENT | {"data": {"userId": "u-1", "total": 9_007_199_254_740_993, "url": "https://a.example.test/"}})
    assert found.properties == {"total": 9_007_199_254_740_993}
    assert found.context["page"] == {"url": "https://a.example.test/"}


def test_a_subject_is_nobody_unless_the_operator_says_so() -> None:
    alone = EVENT | {"subject": "s-1", "data": {"properties": {}}}
    assert (event(alone).anonymous_id, event(alone).user_id) == (None, None)
    assert event(alone, single_id="person").user_id == "s-1"
    assert event(EVENT | {"subject": "s-1"}, single_id="person").user_id == "u-1"


@pytest.mark.parametrize(
    ("consent", "choices", "malformed"),
    [({"ads": True, "x": "granted", "y": "yes", "z": 1}, {"ads": True, "x": True, "y": False, "z": False}, False),
     (True, {}, True)],
)  # fmt: skip
def test_consent_in_the_data(consent: Any, choices: dict[str, bool], malformed: bool) -> None:
    found = event(EVENT | {"data": DATA | {"consent": consent}}).consent
    assert found is not None
    assert (found.choices, found.malformed) == (choices, malformed)


def test_data_that_is_no_json() -> None:
    found = event("<a/>", headers=KAFKA | {"content-type": "text/xml", "ce_subject": "s"}, single_id="person")
    assert (found.user_id, found.properties) == ("s", {})
    assert why("<a/>", headers=KAFKA) == ("not_json", "$.data")
    assert why(EVENT | {"data": None, "data_base64": "%"}) == ("not_json", "$.data")


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"id": ""}, ("missing_field", "$.id")),
        ({"source": None}, ("missing_field", "$.source")),
        ({"type": 5}, ("wrong_type", "$.type")),
        ({"time": "2025-02-16T09:00:00"}, ("bad_time", "$.time")),
        ({"data": {"user_id": []}}, ("wrong_type", "$.data.user_id")),
        ({"data": {}}, ("missing_field", "$.data.user_id")),
    ],
)
def test_refusals(changes: dict[str, Any], refusal: tuple[str, str]) -> None:
    assert why(EVENT | changes) == refusal


def test_a_bad_item_spoils_no_other() -> None:
    found = entries([EVENT, 5, EVENT])
    assert [isinstance(entry, Event) for entry in found] == [True, False, True]
    assert why([], headers={"content-type": "application/cloudevents-batch+json"}) == ("empty", "$")
