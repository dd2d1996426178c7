"""Events that come too late for a destination: not sent there, and listed for people to look at."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tamis.domain.audit.log import AuditLog
from tamis.domain.bundle import Bundle
from tamis.domain.consent.model import Status
from tamis.records.batch import Emissions, RawBatch
from tamis.records.topics import Topic
from tests.support.core import START, ConsentTable, StoredRecord, small_bundle, small_intake, track

HOUR = 3_600_000
HAPPENED = "2026-11-20T10:00:00.000Z"


def bundle(clean_h: int, hubspot_h: int) -> Bundle:
    clean, hubspot = small_bundle().destinations
    return msgspec.structs.replace(
        small_bundle(),
        destinations=(
            msgspec.structs.replace(clean, max_lateness_ms=clean_h * HOUR),
            msgspec.structs.replace(hubspot, max_lateness_ms=hubspot_h * HOUR),
        ),
    )


@pytest.fixture
def consent() -> ConsentTable:
    table = ConsentTable()
    table.set_device("device-1", analytics=Status.GRANTED, marketing=Status.GRANTED)
    return table


def process(consent: ConsentTable, bundle_: Bundle, late_h: float, *bodies: bytes) -> Emissions:
    at = START + round(late_h * HOUR)
    records = [StoredRecord(n + 7, at, body) for n, body in enumerate(bodies or (track(timestamp=HAPPENED),))]
    batch = RawBatch("events.raw", 2, records, 7, 7 + len(records), at)
    return small_intake(consent, bundle_).process(AuditLog("events.raw/2"), batch)


def late(emissions: Emissions) -> list[dict[str, Any]]:
    return [msgspec.json.decode(value) for _, value in emissions.outputs[Topic.REVIEW_LATE]]


def test_an_event_in_time_is_not_listed(consent: ConsentTable) -> None:
    found = process(consent, bundle(72, 24), 24)
    assert late(found) == []
    assert len(found.outputs["crm.hubspot"]) == 1


def test_each_destination_has_its_own_limit(consent: ConsentTable) -> None:
    found = process(consent, bundle(72, 24), 25)
    (entry,) = late(found)
    leaf = msgspec.json.decode(found.leaves[0])
    assert entry == {
        "id": leaf["eid"], "position": "events.raw/2/7/0", "rule": "newsletter_signup", "occurred_at": START,
        "received_at": START + 25 * HOUR, "destinations": {"hubspot": 24 * HOUR}, "v": 1,
    }  # fmt: skip
    assert leaf["dest"] == {"clean": "granted", "hubspot": "late"}
    assert [len(found.outputs[topic]) for topic in ("events.clean", "crm.hubspot")] == [1, 0]
    ((key, _),) = found.outputs[Topic.REVIEW_LATE]
    assert key == entry["id"].encode()


def test_too_late_for_all_is_denied_and_listed_once(consent: ConsentTable) -> None:
    found = process(consent, bundle(2, 1), 3)
    assert [set(entry["destinations"]) for entry in late(found)] == [{"clean", "hubspot"}]
    assert msgspec.json.decode(found.leaves[0])["out"] == "denied"


def test_nothing_of_the_event_itself_is_told(consent: ConsentTable) -> None:
    body = track("jane@example.test", timestamp="2026-11-20T10:00:59.999Z")
    found = process(consent, bundle(2, 1), 30, body)
    text = repr(found.outputs[Topic.REVIEW_LATE])
    assert not any(word in text for word in ("jane", "zoe", "device-1", "pro", "shop.example"))
    assert late(found)[0]["occurred_at"] == START
