"""mParticle: batches of servers and browsers, identities, consent."""

from typing import Any

import pytest

from tamis.domain.event import Event
from tests.support.decoding import entries, event, why

CUSTOM = {"event_type": "custom_event", "data": {"event_name": "Signed Up", "source_message_id": "m-1",
          "timestamp_unixtime_ms": 1_739_692_800_000, "custom_attributes": {"plan": "pro"}}}  # fmt: skip


def batch(*events: Any, **outer: Any) -> dict[str, Any]:
    common = {"environment": "production", "mp_deviceid": "d-1", "user_identities": {"customerid": "u-1"}}
    return common | {"events": list(events)} | outer


def test_an_event_of_a_batch() -> None:
    found = event(batch(CUSTOM, timestamp_unixtime_ms=1_739_692_900_000, mpid="99"))
    assert (found.vendor, found.kind, found.name, found.event_id) == ("mparticle", "track", "Signed Up", "m-1")
    assert (found.anonymous_id, found.user_id, found.properties) == ("d-1", "u-1", {"plan": "pro"})
    assert (found.occurred_at, found.sent_at) == (1_739_692_800_000, 1_739_692_900_000)
    assert found.context["mpid"] == "99"


@pytest.mark.parametrize(
    "identities",
    [{"customer_id": "u-1"}, {"customerid": "u-1"}, [{"identity_type": 1, "identity": "u-1"}],
     [{"identity_type": "customerid", "identity": "u-1"}]],
)  # fmt: skip
def test_forms_of_identities(identities: Any) -> None:
    assert event(batch(CUSTOM, user_identities=identities)).user_id == "u-1"


@pytest.mark.parametrize(
    ("event_type", "data", "kind", "name"),
    [
        ("screen_view", {"screen_name": "Home"}, "page", "Home"),
        ("screen_view", {}, "page", "page"),
        ("commerce_event", {"product_action": {"action": "purchase"}}, "track", "purchase"),
        ("commerce_event", {"promotion_action": {"action": "view"}}, "track", "view"),
        ("commerce_event", {"product_impressions": [{}]}, "track", "impression"),
        ("session_end", None, "auto", "session_end"),
        ("opt_out", {"is_opted_out": True}, "auto", "opt_out"),
    ],
)
def test_kinds(event_type: str, data: Any, kind: str, name: str) -> None:
    found = event(batch({"event_type": event_type, "data": data}))
    assert (found.kind, found.name, found.event_id_derived) == (kind, name, True)


def test_attributes_alone_are_an_identify() -> None:
    found = event(batch(user_attributes={"plan": "pro"}))
    assert (found.kind, found.properties) == ("identify", {"plan": "pro"})
    assert why(batch()) == ("empty", "$.events")


@pytest.mark.parametrize(
    ("state", "choices", "signals", "malformed"),
    [
        ({"gdpr": {"ads": {"consented": True}, "x": {"consented": "yes"}, "y": {}}},
         {"ads": True, "x": False, "y": False}, {}, False),
        ({"ccpa": {"data_sale_opt_out": {"consented": True}}}, {}, {"sale_opt_out": "1"}, False),
        ({"ccpa": {"data_sale_opt_out": {"consented": False}}}, {}, {"sale_opt_out": "0"}, False),
        ({"ccpa": {"data_sale_opt_out": {}}}, {}, {"sale_opt_out": "1"}, False),
        ({"gdpr": [], "ccpa": None}, {}, {}, False),
        ({"gdpr": ["ads"]}, {}, {}, True),
        ("granted", {}, {}, True),
    ],
)  # fmt: skip
def test_consent_counts_for_all_events_of_a_batch(
    state: Any, choices: dict[str, bool], signals: dict[str, str], malformed: bool
) -> None:
    for found in entries(batch(CUSTOM, CUSTOM, consent_state=state)):
        assert isinstance(found, Event)
        assert found.consent is not None
        assert (found.consent.choices, dict(found.consent.signals)) == (choices, signals)
        assert found.consent.malformed is malformed


def test_no_consent_state_is_no_statement() -> None:
    assert event(batch(CUSTOM, consent_state=None)).consent is None
    assert event(batch(CUSTOM)).consent is None


@pytest.mark.parametrize(
    ("item", "refusal"),
    [
        ({"data": {}}, ("missing_field", "$.events[0].event_type")),
        ({"event_type": "custom_event", "data": {}}, ("missing_field", "$.events[0].data.event_name")),
        ({"event_type": "custom_event", "data": 5}, ("wrong_type", "$.events[0].data")),
        ({"event_type": "session_start", "data": {"timestamp_unixtime_ms": "x"}},
         ("bad_time", "$.events[0].data.timestamp_unixtime_ms")),
    ],
)  # fmt: skip
def test_refusals(item: Any, refusal: tuple[str, str]) -> None:
    assert why(batch(item)) == refusal
    assert why(batch(CUSTOM, mp_deviceid=None, user_identities={})) == ("missing_field", "$.mp_deviceid")
