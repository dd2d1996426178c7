"""Duplicates and conflicts: what is seen first, what repeats it, what is not a repeat."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tamis.domain.event import Event
from tamis.domain.sightings import FINGERPRINT_BYTES, Repeat, Sighted, canonical, fingerprints
from tamis.envelopes.decoder import Decoder
from tamis.stores.sightings.memory import MemorySightings
from tests.support.core import START

A, B = b"a" * 16, b"b" * 16
SAID, OTHER = b"1" * 8, b"2" * 8
MINUTE = START // 60_000
NOW = 1_795_319_504_084


def event(content: bytes | None = None, **changes: Any) -> Event:
    given: dict[str, Any] = {
        "event_id": "e", "kind": "track", "name": "Quote Started", "occurred_at": START, "sent_at": START,
        "anonymous_id": "d", "user_id": None, "properties": {"a": 1, "b": 2}, "context": {"ip": "192.0.2.1"},
        "consent": None, "vendor": "segment",
    }  # fmt: skip
    return Event(**(given | changes), content=content)


def test_the_first_sighting_is_none_the_second_a_duplicate_another_content_a_conflict() -> None:
    sighted = Sighted(MemorySightings(60).find)
    found = sighted.classify([A, A, A, B], [SAID, SAID, OTHER, OTHER], [START] * 4)
    assert found == [None, Repeat.DUPLICATE, Repeat.CONFLICT, None]
    assert sighted.fresh == {MINUTE: [A + SAID, B + OTHER]}


def test_what_was_committed_before_counts_and_is_not_remembered_again() -> None:
    known = MemorySightings(60)
    known.add(MINUTE - 60, A + SAID)
    sighted = Sighted(known.find)
    assert sighted.classify([A, A], [SAID, OTHER], [START, START]) == [Repeat.DUPLICATE, Repeat.CONFLICT]
    assert sighted.fresh == {}


def test_a_sighting_older_than_the_window_is_forgotten() -> None:
    known = MemorySightings(60)
    known.add(MINUTE - 61, A + SAID)
    assert Sighted(known.find).classify([A], [SAID], [START]) == [None]


def test_entries_lie_under_the_minute_they_came_in() -> None:
    sighted = Sighted(MemorySightings(60).find)
    sighted.classify([A, B], [SAID, SAID], [START, START + 60_000])
    assert list(sighted.fresh) == [MINUTE, MINUTE + 1]


def test_the_time_of_sending_is_no_part_of_what_an_event_says() -> None:
    first = b'{"messageId":"x","sentAt":"2026-11-20T10:00:00Z","event":"E"}'
    again = first.replace(b"10:00:00", b"11:30:00")
    assert canonical(event(first)) == canonical(event(again)) != canonical(event(first.replace(b'"E"', b'"F"')))


@pytest.mark.parametrize("content", [b'{"sentAt":1}', b'{"sentAt":"a\\"b"}', b'"sentAt"', b""])
def test_a_strange_time_of_sending_stays_part_of_the_content(content: bytes) -> None:
    assert canonical(event(content)) == content


def test_fields_say_the_same_in_any_order_and_from_any_address() -> None:
    one = canonical(event())
    assert one == canonical(event(properties={"b": 2, "a": 1}, sent_at=None))
    assert one == canonical(event(context={"ip": "198.51.100.7", "receivedAt": "now"}))
    assert one != canonical(event(properties={"a": 1, "b": 3}))
    assert one != canonical(event(user_id="u"))


@pytest.mark.parametrize("value", [2**80, "\ud800", {"a": [2**70]}])
def test_no_value_is_too_strange_for_a_fingerprint(value: Any) -> None:
    made = fingerprints(b"k" * 32)([event(properties={"x": value})])[0]
    assert len(made) == FINGERPRINT_BYTES
    assert made == fingerprints(b"k" * 32)([event(properties={"x": value})])[0]
    assert made != fingerprints(b"l" * 32)([event(properties={"x": value})])[0]


@pytest.mark.parametrize("sent", ["2026-11-20T10:00:00Z", "", "2026-\\u0031", 'quote\\"d'])
@pytest.mark.parametrize(("before", "after"), [('"a":1,', ',"b":2'), ("", ',"b":2'), ('"a":1,', ""), ("", "")])
def test_the_time_of_sending_is_cut_out_wherever_it_stands(sent: str, before: str, after: str) -> None:
    content = f'{{{before}"sentAt":"{sent}"{after}}}'.encode()
    said = canonical(event(content=content))
    if "\\" in sent:
        assert said == content
    else:
        json.loads(said)
        assert said == canonical(event(content=content.replace(b'"sentAt":"', b'"sentAt":"9')))
        assert b"sentAt" not in said


def test_a_repeat_of_a_client_whose_clock_is_ahead_says_the_same() -> None:
    def sent(received_at: int) -> Event:
        body = {"api_key": "k", "client_upload_time": "2026-11-22T05:51:44.084Z",
                "events": [{"event_type": "E", "device_id": "d", "time": NOW, "insert_id": "i"}]}  # fmt: skip
        found = Decoder(b"k" * 32).decode(json.dumps(body).encode(), (), received_at)
        assert isinstance(found, list)
        assert isinstance(found[0], Event)
        return found[0]

    first, again = sent(NOW + 1_000), sent(NOW + 7_000)
    assert first.occurred_at != again.occurred_at
    assert canonical(first) == canonical(again)
