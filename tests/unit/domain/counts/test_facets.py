"""Device classes and producers: words of closed vocabularies, whatever is sent."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tamis.domain.counts.device import DEVICES, device_of
from tamis.domain.counts.producer import producer_in, producer_of
from tamis.domain.event import Event

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Mobile/15E148 Safari/604.1"


def event(vendor: str = "segment", **context: Any) -> Event:
    return Event("id", "track", "Viewed", None, None, "d", None, {}, context, None, vendor)


@pytest.mark.parametrize(
    ("context", "device"),
    [
        ({"userAgent": CHROME}, "desktop"), ({"userAgent": IPHONE}, "mobile"), ({"userAgent": "x"}, "other"),
        ({"userAgent": "Googlebot/2.1"}, "bot"), ({"userAgent": "Mozilla/5.0 (iPad; ...)"}, "tablet"),
        ({"device": {"type": "Android"}}, "mobile"), ({"device": {"type": "fridge"}}, "other"),
        ({}, "-"), ({"userAgent": 7}, "-"), ({"userAgent": ""}, "-"), ({"device": "ios"}, "-"),
        ({"userAgent": "z" * 100_000}, "other"),
    ],
)  # fmt: skip
def test_the_user_agent_or_the_stated_device_gives_the_class(context: dict[str, Any], device: str) -> None:
    assert device in DEVICES
    assert device_of(event(**context)) == device


@pytest.mark.parametrize(
    ("context", "producer"),
    [
        ({"library": {"name": "analytics.js", "version": "npm:next-1.84.3"}}, "analytics.js 1.84"),
        ({"library": {"name": "RudderLabs JavaScript SDK", "version": "3.34.1"}}, "rudder.js 3.34"),
        ({"library": {"name": "analytics-ios", "version": "4.1.8"}, "app": {"version": "2.7.0-beta"}},
         "analytics-ios 4.1 app 2.7"),
        ({"library": {"name": "zoe@example.test", "version": "zoe"}}, "other"),
        ({"library": {"name": "zoe", "version": "12345678901234567"}}, "other"),
        ({"library": "x"}, "segment"), ({}, "segment"), ({"library": {"name": 7, "version": 8}}, "segment"),
    ],
)  # fmt: skip
def test_a_producer_is_a_listed_sdk_and_short_versions(context: dict[str, Any], producer: str) -> None:
    assert producer_of(event(**context)) == producer


def test_a_producer_without_a_library_is_its_vendor() -> None:
    assert producer_of(event("ga4")) == "ga4"


LIBRARY = {"context": {"library": {"name": "analytics-node", "version": "3.0.13"}}}


@pytest.mark.parametrize(
    ("body", "producer"),
    [
        (LIBRARY, "analytics-node 3.0"), ({"batch": [LIBRARY, 1]}, "analytics-node 3.0"), ({"batch": []}, "-"),
        ({"batch": [7]}, "-"), ([], "-"), ({"context": 7}, "-"), ({}, "-"), ({"context": {"library": []}}, "-"),
    ],
)  # fmt: skip
def test_what_can_be_read_of_refused_bytes_tells_the_producer(body: Any, producer: str) -> None:
    assert producer_in(msgspec.json.encode(body)) == producer


@pytest.mark.parametrize("value", [None, b"", b"no json", b"\xff\xfe", b"[" * 100_000, b'{"context":' * 50_000])
def test_bytes_that_cannot_be_read_have_no_producer(value: bytes | None) -> None:
    assert producer_in(value) == "-"
