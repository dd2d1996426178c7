"""Requests captured from real SDKs decode to the facts written beside them, and damaged ones never raise."""

import gzip
import json
import random
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tamis.domain.event import Event, Invalid
from tamis.envelopes.decoder import Decoder
from tests.support.captured import SHIPPED, pack

FILES = sorted((Path(__file__).parent / "payloads").glob("*/*.json"))
RECEIVED_AT = 1_795_400_000_000
KEY = b"k" * 32
NOBODY = {"undefined", "00000000-0000-0000-0000-000000000000"}


def load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return loaded


def instant(text: str | None) -> int | None:
    if text is None:
        return None
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def events_of(payload: dict[str, Any], vendor: str | None = None) -> list[Event]:
    entries = Decoder(KEY, vendor=vendor).decode(payload["body"].encode(), (), RECEIVED_AT)
    assert isinstance(entries, list)
    return [entry for entry in entries if isinstance(entry, Event)]


def choices_of(consent: dict[str, Any]) -> dict[str, bool]:
    if "allowedConsentIds" in consent:
        return dict.fromkeys(consent["allowedConsentIds"], True) | dict.fromkeys(consent["deniedConsentIds"], False)
    return consent


def assert_facts(event: Event, expect: dict[str, Any]) -> None:
    # The identify that a browser client sends beside the scenario's own event has the same ids, unlisted.
    assert {expect[field] for field in expect.get("placeholder", ())} <= NOBODY
    assert event.kind == expect["kind"]
    assert event.name == (expect["name"] or expect["kind"])
    assert (event.event_id, event.event_id_derived) == (expect["event_id"], False)
    assert event.occurred_at == instant(expect["occurred_at"])
    assert event.sent_at == instant(expect["sent_at"])
    assert event.anonymous_id == (None if expect["anonymous_id"] in NOBODY else expect["anonymous_id"])
    assert event.user_id == (None if expect["user_id"] in NOBODY else expect["user_id"])
    for key, value in expect["properties_subset"].items():
        assert event.properties[key] == value
        assert type(event.properties[key]) is type(value)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_decodes_to_the_expected_facts(path: Path) -> None:
    payload = load(path)
    events = events_of(payload)
    assert len(events) == len(payload["expect"])
    for event, expect in zip(events, payload["expect"], strict=True):
        assert event.vendor == payload["vendor"]
        assert_facts(event, expect)
        if "consent" in expect:
            assert event.consent is not None
            assert (event.consent.choices, event.consent.malformed) == (choices_of(expect["consent"]), False)
        else:
            assert event.consent is None
        if "group_id" in expect:
            assert event.properties["groupId"] == expect["group_id"]
        if "previous_id" in expect:
            assert event.properties["previousId"] == expect["previous_id"]
        if "page_url" in expect:
            page = event.context.get("page", event.properties)
            assert page["url"] == expect["page_url"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_topic_fixed_to_the_vendor_gives_the_same(path: Path) -> None:
    payload = load(path)
    assert events_of(payload, payload["vendor"]) == events_of(payload)


def test_every_scenario_is_here() -> None:
    kinds = {expect["kind"] for path in FILES for expect in load(path)["expect"]}
    assert kinds == {"track", "page", "identify", "group", "alias"}
    assert {load(path)["vendor"] for path in FILES} == {"segment", "rudderstack"}


def damaged(body: bytes, dice: random.Random) -> bytes:
    kind = dice.randrange(4)
    place = dice.randrange(len(body))
    if kind == 0:
        return body[:place]
    if kind == 1:
        return body[:place] + bytes([dice.randrange(256)]) + body[place + 1 :]
    if kind == 2:
        return body[:place] + body[place + dice.randrange(1, 40) :]
    return body[:place] + dice.choice((b"{", b"}", b"[", b"]", b'"', b"null", b"1e999", b"\\ud800")) + body[place:]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_damaged_bodies_never_raise(path: Path) -> None:
    decoder, dice = Decoder(KEY), random.Random(path.stem)
    body = load(path)["body"].encode()
    refused = 0
    for _ in range(300):
        entries = decoder.decode(damaged(body, dice), (), RECEIVED_AT)
        refused += isinstance(entries, Invalid)
        assert isinstance(entries, Invalid) or len(entries) >= 1
    assert refused > 0


def test_the_bodies_shipped_for_the_demo_are_these() -> None:
    assert gzip.decompress(SHIPPED.read_bytes()) == gzip.decompress(pack(FILES))
