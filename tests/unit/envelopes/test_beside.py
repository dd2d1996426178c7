"""What record headers say: whom to ask first, Global Privacy Control, the address of a call."""

import pytest

from tamis.domain.event import Event
from tamis.envelopes.beside import Order, order_of
from tests.support.decoding import entries, event, why

CALL = {"type": "track", "event": "x", "userId": "u-1", "messageId": "m"}


@pytest.mark.parametrize(
    ("headers", "order"),
    [
        ([], Order.CALLS),
        ([("x", b"y"), ("endpoint", None), ("endpoint", b"")], Order.CALLS),
        ([("Endpoint", b"https://api.segment.io/v1/track")], Order.CALLS),
        ([("endpoint", b"https://jitsu.example.test/api/s/track")], Order.JITSU),
        ([("endpoint", b"/g/collect?v=2")], Order.VENDORS),
        ([("endpoint", b"https://h/v1/x"), ("CE_id", b"1")], Order.VENDORS),
        ([("ce-id", None)], Order.VENDORS),
    ],
)
def test_whom_to_ask_first(headers: list[tuple[str, bytes | None]], order: Order) -> None:
    assert order_of(headers) is order


@pytest.mark.parametrize(
    "endpoint", ["https://api.segment.io/v1/track", "/collect", "not an address", "https://[::1/x", "?"]
)
def test_a_call_is_a_call_wherever_it_was_posted(endpoint: str) -> None:
    assert event(CALL, endpoint).vendor == "segment"


def test_jitsu_is_told_by_its_address() -> None:
    page = {"type": "page", "userId": "u-1", "messageId": "m", "properties": {"name": "Home"}}
    found = event(page, "https://data.example.test/api/s/page")
    assert (found.vendor, found.kind, found.name) == ("jitsu", "page", "page")
    assert event(CALL, vendor="jitsu").vendor == "jitsu"
    assert why({"a": 1}, "/api/s/track", vendor="jitsu") == ("missing_field", "$.anonymousId")


def test_global_privacy_control_is_a_signal_on_every_event() -> None:
    found = entries({"batch": [CALL, CALL | {"context": {"consent": {"categoryPreferences": {"a": True}}}}, {}]},
                    headers={"Sec-GPC": "1"})  # fmt: skip
    first, second, third = found
    assert isinstance(first, Event)
    assert first.consent is not None
    assert (first.consent.choices, first.consent.signals) == ({}, (("gpc", "1"),))
    assert isinstance(second, Event)
    assert second.consent is not None
    assert (second.consent.choices, second.consent.signals) == ({"a": True}, (("gpc", "1"),))
    assert not isinstance(third, Event)


@pytest.mark.parametrize("value", ["0", "", "true", "11"])
def test_any_other_value_is_no_preference(value: str) -> None:
    assert event(CALL, headers={"sec-gpc": value}).consent is None


def test_a_record_without_a_value_may_have_its_event_in_the_address() -> None:
    assert why("", "https://matomo.example.test/matomo.php") == ("empty", "$")
    assert why("", headers={"x": "y"}) == ("empty", "$")
    assert why("") == ("empty", "$")


BROWSER = "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/120.0"


def test_the_browser_of_the_request_stands_in_for_an_sdk_that_does_not_say() -> None:
    hit = entries("", "https://www.google-analytics.com/g/collect?v=2&tid=G-1&cid=1.2&en=page_view",
                  headers={"User-Agent": BROWSER})  # fmt: skip
    assert [each.context.get("userAgent") for each in hit if isinstance(each, Event)] == [BROWSER]
    said = CALL | {"context": {"userAgent": "own"}}
    assert event(said, headers={"user-agent": BROWSER}).context["userAgent"] == "own"
    assert "userAgent" not in event(CALL, headers={"user-agent": "python-requests/2.32"}).context
