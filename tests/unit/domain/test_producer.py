"""Who made an event: known words and version numbers, nothing else a sender wrote."""

import json
from typing import Any

import pytest

from tamis.domain.event import Event
from tamis.domain.producer import producer_in, producer_of
from tamis.domain.raw_producer import RawProducer
from tamis.envelopes.decoder import Decoder
from tests.support.payloads import FILES, KEY, RECEIVED_AT, load, record


@pytest.mark.parametrize(
    ("context", "told"),
    [
        ({"library": {"name": "analytics.js", "version": "npm:next-1.84.3"}}, "analytics.js/1.84.3"),
        ({"library": {"name": "RudderLabs JavaScript SDK", "version": "3.34.1"}}, "rudderlabs-javascript-sdk/3.34.1"),
        (
            {
                "library": {"name": "analytics-ios", "version": "4.1.0"},
                "app": {"name": "S", "version": "2.14.0 (7)"},
            },
            "analytics-ios/4.1.0 app/2.14.0",
        ),
        ({"library": "amplitude-node-ts/1.5.73"}, "amplitude-node-ts/1.5.73"),
        ({"library": "amplitude-ts/2.3.1-beta.4", "version_name": "7.0"}, "amplitude-ts/2.3.1-beta.4 app/7.0"),
        ({"v_tracker": "js-4.10.1"}, "js/4.10.1"),
        ({"$lib": "posthog-python", "$lib_version": "7.91.1"}, "posthog-python/7.91.1"),
        ({"mp_lib": "web", "$lib_version": "2.83.0", "$app_version_string": "5.1"}, "web/2.83.0 app/5.1"),
        ({"library": {"name": "Acme SDK", "version": "9.9"}}, "acme-sdk/9.9"),
        ({"library": {"name": "zoe@example.test", "version": "zoe"}}, "other"),
        ({"library": {"name": {"a": 1}, "version": ["1.2"]}}, "other"),
        ({"library": 7, "app": "x"}, "-"),
        ({}, "-"),
    ],
)
def test_known_words_and_numbers(context: dict[str, Any], told: str) -> None:
    assert producer_in([None, context], {"acme-sdk"}) == told


def test_an_app_that_is_the_sdk_itself_is_told_once() -> None:
    said = {"library": {"name": "R", "version": "3.1"}, "app": {"name": "R", "version": "3.1"}}
    assert producer_in([said]) == "other/3.1"


def test_every_captured_client_that_says_who_it_is_is_told() -> None:
    seen = set()
    for path in FILES:
        payload = load(path)
        found = Decoder(KEY).decode(*record(payload), RECEIVED_AT)
        for event in found if isinstance(found, list) else []:
            if isinstance(event, Event):
                told = producer_of(event)
                name = told.partition(" ")[0].rpartition("/")[0]
                assert name != "other", path.name
                seen.add(name)
    assert {"analytics.js", "rudderlabs-javascript-sdk", "@jitsu/js", "posthog-node", "snowplow-js"} <= seen


def test_a_refused_record_is_searched() -> None:
    call = {"type": "track", "context": {"library": {"name": "analytics-go", "version": "3.2.1"},
                                         "page": {"url": "https://shop.example.test/x"}}}  # fmt: skip
    sites = {"shop.example.test": "shop"}
    whole = json.dumps({"batch": [{"type": "track"}, call]}).encode()
    assert RawProducer(whole).origin(1, sites, ()).producer == "analytics-go/3.2.1"
    assert RawProducer(whole).origin(1, sites, ()).site == "shop"
    assert RawProducer(whole).origin(0, sites, ()).producer == "-"
    assert RawProducer(whole[:-20]).origin(1, sites, ()).producer == "analytics-go/3.2.1"


@pytest.mark.parametrize("value", [b"", b"\xff\xfe", b"[" * 9_000, b'{"library":', b"7", b"[null]", b'{"batch":[[]]}'])
def test_hostile_bytes_tell_nothing(value: bytes) -> None:
    origin = RawProducer(value).origin(3, {}, ())
    assert (origin.producer, origin.site) == ("-", "-")
