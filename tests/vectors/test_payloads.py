"""Requests captured from real SDKs decode to the facts written beside them, and damaged ones never raise."""

import gzip
import json
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tamis.domain.event import Event, Invalid
from tamis.envelopes.decoder import Decoder
from tests.support.captured import SHIPPED, SHIPPED_VENDORS, pack
from tests.support.payloads import FILES, FOLDER, KEY, RECEIVED_AT, damaged, load, millis, record

NOBODY = {"undefined", "00000000-0000-0000-0000-000000000000"}
BY_ADDRESS = {"jitsu", "cloudevents"}  # told apart by headers; the others by the body where it is not empty
EVERY = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def vendor_of(payload: dict[str, Any]) -> str:
    return "segment" if payload["vendor"] == "signals" else str(payload["vendor"])


def events_of(payload: dict[str, Any], vendor: str | None = None) -> list[Event]:
    value, headers = record(payload)
    entries = Decoder(KEY, vendor=vendor).decode(value, headers, RECEIVED_AT)
    assert isinstance(entries, list)
    return [entry for entry in entries if isinstance(entry, Event)]


def subject(sent: str | None) -> str | None:
    return None if not sent or sent in NOBODY else sent


def assert_facts(event: Event, expect: dict[str, Any]) -> None:
    assert event.kind == expect["kind"]
    assert event.name == (expect["name"] or expect["kind"])
    assert event.event_id_derived is (expect["event_id"] is None)
    assert event.event_id_derived or event.event_id == expect["event_id"]
    assert event.occurred_at == millis(expect["occurred_at"])
    if "sent_at" in expect:
        assert event.sent_at == millis(expect["sent_at"])
    assert event.anonymous_id == subject(expect["anonymous_id"])
    person = subject(expect["user_id"])
    assert event.user_id == (person.lower() if person and "@" in person else person)
    for key, value in expect["properties_subset"].items():
        assert event.properties[key] == value
        assert type(event.properties[key]) is type(value)


def place_of(event: Event, expect: dict[str, Any], fact: str) -> Any:
    """Where rules find a fact of the vendor's."""
    calls = {"group_id": "groupId", "previous_id": "previousId"}
    if fact in calls and fact not in event.context:
        return event.properties[calls[fact]]
    if fact == "page_url":
        page = event.context.get("page", event.properties)
        return page["url"]
    return event.context[fact]


@EVERY
def test_decodes_to_the_expected_facts(path: Path) -> None:
    payload = load(path)
    events = events_of(payload)
    assert len(events) == len(payload["expect"])
    for event, expect in zip(events, payload["expect"], strict=True):
        assert event.vendor == vendor_of(payload)
        assert_facts(event, expect)
        facts = ("group_id", "previous_id", "alias", "page_url", "schema", "context_schemas", "mpid", "event_type",
                 "product_action", "source", "type")  # fmt: skip
        for fact in facts:
            if fact in expect:
                assert place_of(event, expect, fact) == expect[fact]


def choices_of(vendor: str, consent: dict[str, Any]) -> dict[str, bool]:
    """The yes and no that a statement of ``expect`` amounts to."""
    if vendor == "rudderstack":
        return dict.fromkeys(consent["allowedConsentIds"], True) | dict.fromkeys(consent["deniedConsentIds"], False)
    if vendor == "mparticle":
        return {purpose: choice["consented"] for purpose, choice in consent["gdpr"].items()}
    if vendor == "snowplow":
        return dict.fromkeys(consent["granted"], True)
    if vendor == "ga4":
        return {purpose: word == "granted" for purpose, word in consent.items() if not purpose.startswith("_")}
    return consent


SIGNALS = {
    "analytics-debugger-ga4mp-web--s08-track-consent": {"npa": "1"},
    "mparticle--s08-track-consent": {"sale_opt_out": "1"},
    "mparticle-web-sdk-web--s08-track-consent": {"sale_opt_out": "1"},
    "snowplow-browser-tracker-web--s08-track-consent": {"state": "allow_selected", "gdpr": "1"},
    "gpc-header": {"gpc": "1"},
}


@EVERY
def test_consent_is_what_was_stated_and_nothing_else(path: Path) -> None:
    payload = load(path)
    for event, expect in zip(events_of(payload), payload["expect"], strict=True):
        signals = SIGNALS.get(path.stem, {})
        if "consent" not in expect and not signals:
            assert event.consent is None
            continue
        assert event.consent is not None
        assert not event.consent.malformed
        assert event.consent.choices == choices_of(payload["vendor"], expect.get("consent", {}))
        assert dict(event.consent.signals) == signals


@EVERY
def test_a_topic_fixed_to_the_vendor_gives_the_same(path: Path) -> None:
    payload = load(path)
    assert events_of(payload, vendor_of(payload)) == events_of(payload)


@EVERY
def test_the_body_alone_tells_the_vendor(path: Path) -> None:
    payload = load(path)
    if vendor_of(payload) in BY_ADDRESS or not payload["body"] or "type" not in payload["body"]:
        return
    entries = Decoder(KEY).decode(payload["body"].encode(), (), RECEIVED_AT)
    assert isinstance(entries, list)
    assert {entry.vendor for entry in entries if isinstance(entry, Event)} == {vendor_of(payload)}


@EVERY
def test_a_gzip_body_is_opened(path: Path) -> None:
    payload = load(path)
    value, headers = record(payload)
    if not value:
        return
    squeezed = gzip.compress(value, mtime=0)
    assert Decoder(KEY).decode(squeezed, headers, RECEIVED_AT) == Decoder(KEY).decode(value, headers, RECEIVED_AT)


@EVERY
def test_what_is_decoded_can_be_written_as_json(path: Path) -> None:
    for event in events_of(load(path)):
        assert json.loads(msgspec.json.encode(event))["name"] == event.name


def test_every_scenario_is_here() -> None:
    kinds = {expect["kind"] for path in FILES for expect in load(path)["expect"]}
    assert kinds == {"track", "page", "identify", "group", "alias", "consent", "auto"}
    assert {load(path)["vendor"] for path in FILES} == {
        "segment", "rudderstack", "amplitude", "cloudevents", "ga4", "jitsu", "mixpanel", "mparticle", "posthog",
        "signals", "snowplow",
    }  # fmt: skip


@EVERY
def test_damaged_requests_never_raise(path: Path) -> None:
    payload = load(path)
    dice = random.Random(path.stem)
    decoders = (Decoder(KEY), Decoder(KEY, vendor=vendor_of(payload)))
    value, headers = record(payload)
    plain = [(name, raw) for name, raw in headers if name != "endpoint"]
    address = payload["endpoint"].encode()
    for _ in range(60):
        bad = damaged(value, dice)
        beside = [*plain, ("endpoint", damaged(address, dice) if not value or dice.random() < 0.3 else address)]
        for decoder in decoders:
            entries = decoder.decode(bad, beside, RECEIVED_AT)
            assert isinstance(entries, Invalid) or len(entries) >= 1
            assert entries == decoder.decode(bad, beside, RECEIVED_AT)


def pieces(payload: dict[str, Any]) -> list[str]:
    """Texts of the request that identify somebody."""
    ids = [expect.get(key) for expect in payload["expect"] for key in ("anonymous_id", "user_id", "subject")]
    return [text for text in (*ids, *payload.get("pii", ())) if text and len(text) > 5]


@EVERY
def test_nothing_identifying_is_in_a_refusal(path: Path) -> None:
    payload = load(path)
    dice, (value, headers), decoder = random.Random(path.stem), record(payload), Decoder(KEY)
    texts = pieces(payload)
    for _ in range(40):
        entries = decoder.decode(damaged(value, dice), headers, RECEIVED_AT)
        for entry in [entries] if isinstance(entries, Invalid) else entries:
            if isinstance(entry, Invalid):
                assert not any(text in repr(entry) for text in texts)


def test_the_bodies_shipped_for_the_demo_are_these() -> None:
    shipped = [path for path in FILES if path.parent.name in SHIPPED_VENDORS]
    assert gzip.decompress(SHIPPED.read_bytes()) == gzip.decompress(pack(shipped))
    assert FOLDER.is_dir()
