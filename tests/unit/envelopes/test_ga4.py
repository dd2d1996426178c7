"""GA4: Measurement Protocol bodies, and hits of the browser tag with one event or several."""

from typing import Any

import pytest

from tamis.domain.event import Event
from tests.support.decoding import NOW, entries, event, why

BODY = {"client_id": "c.1", "events": [{"name": "sign_up", "params": {"method": "x"}}]}
COLLECT = "https://region1.google-analytics.com/g/collect?v=2&tid=G-1&cid=c.1"


def test_several_events_of_one_client_have_ids_of_their_own() -> None:
    same = {"name": "view_item", "params": {"sku": "A-1"}}
    found = entries(BODY | {"events": [same, same, {"name": "page_view"}]})
    assert [(entry.name, entry.kind, entry.event_id_derived) for entry in found if isinstance(entry, Event)] == [
        ("view_item", "track", True),
        ("view_item", "track", True),
        ("page_view", "page", True),
    ]
    assert len({entry.event_id for entry in found if isinstance(entry, Event)}) == 3


def test_derived_ids_are_the_same_again_and_differ_by_what_identifies() -> None:
    assert event(BODY).event_id == event(BODY).event_id
    assert event(BODY).event_id != event(BODY, now=NOW + 1).event_id
    timed = BODY | {"timestamp_micros": 1_739_692_800_000_000}
    assert event(timed).event_id == event(timed, now=NOW + 1).event_id
    assert event(timed).event_id != event(timed | {"client_id": "c.2"}).event_id


def test_microseconds_on_the_event_win_over_those_of_the_body() -> None:
    items = [{"name": "a", "timestamp_micros": 1_739_692_800_123_456}, {"name": "b"}]
    body = {"client_id": "c.1", "timestamp_micros": "1739692700000000", "events": items}
    assert [entry.occurred_at for entry in entries(body) if isinstance(entry, Event)] == [
        1_739_692_800_123,
        1_739_692_700_000,
    ]


@pytest.mark.parametrize(
    ("consent", "choices", "malformed"),
    [
        ({"ad_user_data": "GRANTED"}, {"ad_user_data": True}, False),
        ({"ad_user_data": "granted"}, {"ad_user_data": False}, False),
        ({"ad_user_data": True, "x": None}, {"ad_user_data": False, "x": False}, False),
        ("GRANTED", {}, True),
        ([], {}, True),
    ],
)
def test_only_the_documented_word_is_a_yes(consent: Any, choices: dict[str, bool], malformed: bool) -> None:
    found = event(BODY | {"consent": consent}).consent
    assert found is not None
    assert (found.choices, found.malformed) == (choices, malformed)


def test_the_older_no_to_personalised_ads() -> None:
    found = event(BODY | {"non_personalized_ads": True}).consent
    assert found is not None
    assert found.signals == (("npa", "1"),)
    assert event(BODY | {"non_personalized_ads": False}).consent is None


def test_contact_data_is_never_read() -> None:
    found = event(BODY | {"user_data": {"sha256_email_address": ["abc"]}, "ip_override": "203.0.113.7"})
    assert "abc" not in repr(found)
    assert "203.0.113.7" not in repr(found)


def test_an_app_is_named_by_its_instance() -> None:
    assert event({"app_instance_id": "i-1", "events": BODY["events"]}).anonymous_id == "i-1"


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (BODY | {"events": []}, ("empty", "$.events")),
        (BODY | {"events": [5]}, ("wrong_type", "$.events[0]")),
        (BODY | {"events": [{"params": {}}]}, ("missing_field", "$.events[0].name")),
        (BODY | {"events": [{"name": "a", "params": []}]}, ("wrong_type", "$.events[0].params")),
        (BODY | {"timestamp_micros": "now"}, ("bad_time", "$.timestamp_micros")),
        (BODY | {"client_id": ""}, ("missing_field", "$.client_id")),
        (BODY | {"client_id": 1.5}, ("wrong_type", "$.client_id")),
    ],
)
def test_refusals(body: dict[str, Any], refusal: tuple[str, str]) -> None:
    assert why(body) == refusal


def test_a_hit_without_a_body() -> None:
    hit = "&en=purchase&ep.coupon=A%26B&epn.value=9007199254740993&epn.rate=12.5&up.tier=pro&uid=u-1&cu=EUR&pr1=idA~nmB"
    found = event("", COLLECT + hit + "&dl=https%3A%2F%2Fa.example.test%2F%3Fq%3D1&sid=17&_p=99&sr=1x1")
    assert (found.vendor, found.name, found.anonymous_id, found.user_id) == ("ga4", "purchase", "c.1", "u-1")
    assert found.properties == {
        "coupon": "A&B", "value": 9_007_199_254_740_993, "rate": 12.5, "cu": "EUR", "pr1": "idA~nmB",
    }  # fmt: skip
    assert found.context["user_properties"] == {"tier": "pro"}
    assert found.context["page"]["url"] == "https://a.example.test/?q=1"
    assert found.occurred_at is None


def test_each_line_of_a_body_is_an_event_of_the_same_client() -> None:
    found = entries("en=page_view&dl=https%3A%2F%2Fa.example.test\r\nen=scroll&epn.percent_scrolled=90\r\n", COLLECT)
    assert [(entry.name, entry.anonymous_id) for entry in found if isinstance(entry, Event)] == [
        ("page_view", "c.1"),
        ("scroll", "c.1"),
    ]
    assert len({entry.event_id for entry in found if isinstance(entry, Event)}) == 2


def test_a_line_without_a_name_spoils_no_other() -> None:
    good, bad = entries("en=a\r\nep.x=1", COLLECT)
    assert isinstance(good, Event)
    assert not isinstance(bad, Event)
    assert (bad.reason, bad.path) == ("missing_field", "$[1].en")


def test_a_hit_whose_fields_all_came_in_the_body() -> None:
    assert event("v=2&tid=G-1&cid=c.1&en=a").vendor == "ga4"
    assert event("v=2&tid=G-1&cid=c.1&en=a", "/g/collect").vendor == "ga4"


def test_consent_of_a_hit_is_kept_as_sent() -> None:
    query = "&en=a&gcs=G101&gcd=11p1r1u1t5&npa=1&dma=1&dma_cps=syphamo"
    query += "&us_privacy=1YYN&gpp=DBAA&gpp_sid=7&gdpr=1&gdpr_consent=CPx"
    found = event("", COLLECT + query).consent
    assert found is not None
    assert not found.malformed
    assert dict(found.signals) == {
        "tcf": "CPx", "gdpr": "1", "gpp": "DBAA", "gpp_sid": "7", "usp": "1YYN", "gcs": "G101", "gcd": "11p1r1u1t5",
        "npa": "1", "dma": "1", "dma_cps": "syphamo",
    }  # fmt: skip


def test_contradicting_fields_deny() -> None:
    found = event("", COLLECT + "&en=a&npa=0&_npa=1").consent
    assert found is not None
    assert found.malformed


def test_numbers_that_are_none_stay_text() -> None:
    properties = event("", COLLECT + "&en=a&epn.a=NaN&epn.b=1e999&epn.c=-3&epn.d=1e3&epn.e=").properties
    assert properties == {"a": "NaN", "b": "1e999", "c": -3, "d": 1000.0, "e": ""}
