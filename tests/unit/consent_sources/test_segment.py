"""Segment's consent event, alone and in batches."""

from typing import Any

import orjson
import pytest

from tamis.consent_sources.registry import ConsentReader
from tamis.consent_sources.segment import CONSENT_EVENT
from tamis.consent_sources.statement import Statement
from tamis.domain.consent.model import Status
from tamis.domain.event import Invalid


def call(**changed: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": "track", "event": CONSENT_EVENT, "userId": "u-2002", "anonymousId": "anon-2002", "messageId": "m",
        "timestamp": "2026-11-22T03:51:46.897Z", "sentAt": "2026-11-22T03:51:46.900Z", "properties": {},
        "context": {"consent": {"categoryPreferences": {"Analytics": False, "Advertising": True}}},
    }  # fmt: skip
    return {name: value for name, value in (body | changed).items() if value is not ...}


def preferences(value: Any) -> dict[str, Any]:
    return {"context": {"consent": {"categoryPreferences": value}}}


def read(body: dict[str, Any]) -> list[Statement | Invalid] | Invalid:
    return ConsentReader().read(orjson.dumps(body))


def test_the_consent_event_is_a_complete_statement() -> None:
    assert read(call()) == [
        Statement(
            source="segment",
            choices={"Analytics": Status.DENIED, "Advertising": Status.GRANTED},
            person="u-2002",
            device="anon-2002",
            effective_at=1_795_319_506_897,
            complete=True,
        )
    ]


@pytest.mark.parametrize("value", ["true", 1, None, "granted", [True], {}])
def test_only_true_is_a_grant(value: Any) -> None:
    found = read(call(**preferences({"Analytics": value})))
    assert isinstance(found, list)
    assert isinstance(found[0], Statement)
    assert found[0].choices == {"Analytics": Status.DENIED}


@pytest.mark.parametrize(
    "changed", [{"event": "Checkout Started"}, {"type": "page"}, {"type": "identify", "event": ...}]
)
def test_other_calls_say_nothing_here(changed: dict[str, Any]) -> None:
    assert read(call(**changed)) == []


@pytest.mark.parametrize(
    ("changed", "reason", "path"),
    [
        ({"context": ...}, "missing_field", "$.context"),
        ({"context": []}, "wrong_type", "$.context"),
        ({"context": {}}, "missing_field", "$.context.consent"),
        ({"context": {"consent": "yes"}}, "wrong_type", "$.context.consent"),
        (preferences(None), "missing_field", "$.context.consent.categoryPreferences"),
        (preferences(["Analytics"]), "wrong_type", "$.context.consent.categoryPreferences"),
        ({"timestamp": "now"}, "bad_time", "$.timestamp"),
        ({"userId": ..., "anonymousId": None}, "missing_field", "$.anonymousId"),
        ({"userId": {"id": 1}}, "wrong_type", "$.userId"),
    ],
)
def test_a_consent_event_that_cannot_be_read_is_refused(changed: dict[str, Any], reason: str, path: str) -> None:
    assert read(call(**changed)) == [Invalid(reason, path)]


def test_a_batch_keeps_its_readable_calls() -> None:
    batch = {"batch": [call(), call(event="Checkout Started"), call(context={}), 5, call(userId="u-9")], "sentAt": "x"}
    found = read(batch)
    assert isinstance(found, list)
    assert [type(entry) for entry in found] == [Statement, Invalid, Statement]


def test_too_many_calls_are_refused() -> None:
    assert read({"batch": [call()] * 501}) == [Invalid("too_many_events", "$.batch")]


def test_the_time_of_transport_dates_nothing() -> None:
    found = read(call(timestamp=...))
    assert isinstance(found, list)
    assert isinstance(found[0], Statement)
    assert found[0].effective_at is None


def test_the_original_timestamp_serves_when_there_is_no_other() -> None:
    found = read(call(timestamp=..., originalTimestamp="2026-11-22T03:51:46.897Z"))
    assert isinstance(found, list)
    assert isinstance(found[0], Statement)
    assert found[0].effective_at == 1_795_319_506_897
