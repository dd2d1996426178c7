"""Ids in fields that leave as pseudonyms: equal for one person in one destination, and nowhere else."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tamis.domain.audit.log import AuditLog
from tamis.domain.bundle import Bundle
from tamis.domain.consent.model import Status
from tamis.domain.minimise.projection import Field, compile_projection, veiled
from tamis.domain.paths import required_path
from tamis.records.batch import RawBatch
from tests.support.bundles import event
from tests.support.core import START, ConsentTable, StoredRecord, small_bundle, small_intake, track

FIELDS = [
    Field("account", required_path("properties.account"), "pseudonymise"),
    Field("other", required_path("properties.other"), "pseudonymise"),
    Field("plan", required_path("properties.plan"), "keep"),
]


def bundle() -> Bundle:
    whole = small_bundle()
    both = [
        msgspec.structs.replace(each, project=compile_projection(FIELDS), veiled=veiled(FIELDS))
        for each in whole.destinations
    ]
    return msgspec.structs.replace(whole, destinations=tuple(both))


@pytest.fixture
def consent() -> ConsentTable:
    table = ConsentTable()
    for device in ("device-1", "device-2"):
        table.set_device(device, analytics=Status.GRANTED, marketing=Status.GRANTED)
    return table


def sent(
    consent: ConsentTable, *, device: str = "device-1", topic: str = "events.clean", **values: Any
) -> dict[str, Any]:
    value = track(anonymousId=device, properties={"plan": "pro", **values})
    batch = RawBatch("events.raw", 0, [StoredRecord(0, START, value)], 0, 1, START)
    ((_, record),) = small_intake(consent, bundle()).process(AuditLog("events.raw/0"), batch).outputs[topic]
    fields: dict[str, Any] = msgspec.json.decode(record)["fields"]
    return fields


def test_an_id_leaves_as_a_pseudonym(consent: ConsentTable) -> None:
    found = sent(consent, account="A-17")
    assert found["plan"] == "pro"
    assert found["account"].startswith("v1.clean.1.")
    assert len(found["account"].rpartition(".")[2]) == 22
    assert "A-17" not in str(found)
    assert found == sent(consent, account=" A-17 ")


def test_equal_ids_are_equal_for_one_person_field_and_destination_alone(consent: ConsentTable) -> None:
    same = sent(consent, account="A-17", other="A-17")
    crm = sent(consent, account="A-17", topic="crm.hubspot")
    somebody = sent(consent, account="A-17", device="device-2")
    ends = [text.rpartition(".")[2] for text in (same["account"], same["other"], crm["account"], somebody["account"])]
    assert len(set(ends)) == 4
    assert crm["account"].startswith("v1.hubspot.1.")


@pytest.mark.parametrize("value", [None, "", "null", "anonymous", "0000", 2.5, True, [], {}, ["A-17"], 10**30])
def test_what_is_no_id_is_left_out(consent: ConsentTable, value: Any) -> None:
    raw = track(properties={"plan": "pro", "account": "\u0000"}).replace(b'"\\u0000"', _json(value))
    batch = RawBatch("events.raw", 0, [StoredRecord(0, START, raw)], 0, 1, START)
    ((_, record),) = small_intake(consent, bundle()).process(AuditLog("events.raw/0"), batch).outputs["events.clean"]
    assert msgspec.json.decode(record)["fields"] == {"plan": "pro"}


def _json(value: Any) -> bytes:
    return str(value).encode() if value == 10**30 else msgspec.json.encode(value)


def test_a_whole_number_is_an_id(consent: ConsentTable) -> None:
    assert sent(consent, account=1700) == sent(consent, account="1700")


def test_without_keys_no_such_field_is_given() -> None:
    project = compile_projection(FIELDS)
    assert project(event(properties={"account": "A-17", "other": "B", "plan": "pro"})) == {"plan": "pro"}
