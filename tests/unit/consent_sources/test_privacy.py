"""Requests of privacy.requests: what they become, and what is refused rather than guessed."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import orjson
import pytest

from tamis.consent_sources.normalise import Door, Normalised, Normaliser, NormaliserState
from tamis.consent_sources.privacy import RequestKeying, RequestReader
from tamis.domain.bundle import Policy
from tamis.domain.consent.model import (
    HEARTBEAT_KEY,
    ChangesHeartbeat,
    ConsentChange,
    Erasure,
    Restriction,
    Status,
)
from tamis.domain.consent.regulation import Regulation
from tamis.domain.event import Invalid
from tamis.domain.identity import SubjectKeys
from tamis.domain.quarantine import QuarantineEntry, QuarantineSealer
from tests.support.core import StoredRecord

KEYS = SubjectKeys(b"k" * 32)
POLICY = Policy(
    purposes=("analytics", "marketing"),
    aliases={"analytics": "analytics", "marketing": "marketing", "Ads": "marketing"},
    regulations=(Regulation(id="gdpr"), Regulation(id="us_privacy")),
)  # fmt: skip
T = 1_795_000_000_000
REQUEST = "0f8fad5b-d9cb-469f-a165-70867728950e"
READER = RequestReader(b"r" * 32, POLICY)

Item = ConsentChange | Erasure | Restriction


def body(kind: str = "erasure", **more: Any) -> bytes:
    return orjson.dumps({"type": kind, "identity": {"person": "u-1"}, "request": REQUEST} | more)


def changes(value: bytes) -> list[Item]:
    found = READER.read(value)
    assert not isinstance(found, Invalid), found
    return list(RequestKeying(POLICY, KEYS).changes(found[0], T, Counter()))


def test_erasure_names_each_identity() -> None:
    found = changes(body(identity={"person": "Ann@Example.test", "device": "d-1"}))
    assert found == [
        Erasure(subject=KEYS.person("ann@example.test"), identity="person", at=T, request=REQUEST),
        Erasure(subject=KEYS.device("d-1"), identity="device", at=T, request=REQUEST),
    ]


def test_restriction_and_its_end() -> None:
    subject = KEYS.person("u-1")
    asked = Restriction(subject=subject, identity="person", at=T, request=REQUEST)
    assert changes(body("restriction")) == [asked]
    assert changes(body("restriction", lift=True)) == [msgspec.structs.replace(asked, lifted=True)]


def test_an_objection_withdraws_under_every_regulation() -> None:
    found = changes(body("objection", purposes=["Ads"]))
    assert [(each.regulation, each.choices, each.source) for each in found if isinstance(each, ConsentChange)] == [
        (law, {"marketing": Status.WITHDRAWN}, "objection") for law in ("gdpr", "us_privacy")
    ]
    everything = changes(body("objection"))[0]
    assert isinstance(everything, ConsentChange)
    assert everything.choices == dict.fromkeys(("analytics", "marketing"), Status.WITHDRAWN)
    assert (everything.effective_at, everything.recorded_at) == (T, T)


def test_access_changes_nothing() -> None:
    assert changes(body("access")) == []


@pytest.mark.parametrize(
    ("value", "reason", "path"),
    [
        (b"", "empty", "$"),
        (b"{", "not_json", "$"),
        (b"[]", "wrong_type", "$"),
        (b"\xff", "not_utf8", "$"),
        (orjson.dumps({"identity": {"person": "u"}}), "missing_field", "$.type"),
        (body("delete"), "wrong_type", "$.type"),
        (body(type=["erasure"]), "wrong_type", "$.type"),
        (body(identity=None), "missing_field", "$.identity"),
        (body(identity={}), "missing_field", "$.identity"),
        (body(identity="u-1"), "wrong_type", "$.identity"),
        (body(identity={"person": "anonymous"}), "wrong_type", "$.identity.person"),
        (body(identity={"person": "u-1", "device": "null"}), "wrong_type", "$.identity.device"),
        (body(identity={"person": {"id": 1}}), "wrong_type", "$.identity.person"),
        (body(purposes=["marketing"]), "wrong_type", "$.purposes"),
        (body("objection", purposes=[]), "wrong_type", "$.purposes"),
        (body("objection", purposes="marketing"), "wrong_type", "$.purposes"),
        (body("objection", purposes=["marketing", "sport"]), "wrong_type", "$.purposes[1]"),
        (body("objection", purposes=[7]), "wrong_type", "$.purposes[0]"),
        (body(lift=True), "wrong_type", "$.lift"),
        (body("restriction", lift="yes"), "wrong_type", "$.lift"),
    ],
)
def test_what_cannot_be_carried_out_is_refused(value: bytes, reason: str, path: str) -> None:
    found = READER.read(value)
    assert isinstance(found, Invalid)
    assert (found.reason, found.path) == (reason, path)


@pytest.mark.parametrize(
    "stated", [None, "ann@example.test", "4711", 12, REQUEST.replace("-", ""), "{" + REQUEST + "}"]
)
def test_an_id_that_could_say_something_is_replaced(stated: object) -> None:
    found, again = READER.read(body(request=stated)), READER.read(body(request=stated))
    assert not isinstance(found, Invalid)
    assert not isinstance(again, Invalid)
    assert found[0].request == again[0].request != stated
    assert len(found[0].request) == 36
    assert "u-1" not in repr(found[0])


def run(*values: bytes) -> Normalised:
    normaliser = Normaliser(
        READER, RequestKeying(POLICY, KEYS), QuarantineSealer(lambda _: b"q" * 32, b"p" * 32),
        door=Door(topic="privacy.requests", stage="privacy", noted="requests", first=4, of=8),
        partitions=3, partition_of=lambda key, partitions: key[0] % partitions,
    )  # fmt: skip
    records = [StoredRecord(n, T + n, value) for n, value in enumerate(values)]
    return normaliser.batch(1, records, T, NormaliserState())


def test_a_batch_counts_types_quarantines_the_rest_and_tells_its_place_among_all_inputs() -> None:
    out = run(body(), body("access"), body("delete"))
    assert out.counts == {"changes": 1, "requests/erasure": 1, "requests/access": 1, "invalid/wrong_type": 1}
    entry = msgspec.json.decode(out.quarantine[0][1], type=QuarantineEntry)
    assert (entry.stage, entry.topic, entry.path) == ("privacy", "privacy.requests", "$.type")
    beats = [
        msgspec.json.decode(value, type=ChangesHeartbeat)
        for records in out.changes.values()
        for key, value in records
        if key == HEARTBEAT_KEY
    ]
    assert {(beat.partition, beat.of) for beat in beats} == {(5, 8)}
    assert not any(b"u-1" in key + value for records in out.changes.values() for key, value in records)


def test_a_door_that_does_not_count_tells_nobody_how_far_it_is() -> None:
    normaliser = Normaliser(
        READER, RequestKeying(POLICY, KEYS), QuarantineSealer(lambda _: b"q" * 32, b"p" * 32),
        door=Door(topic="privacy.requests", of=0), partitions=3, partition_of=lambda key, partitions: 0,
    )  # fmt: skip
    out = normaliser.batch(0, [StoredRecord(0, T, body())], T, NormaliserState())
    assert [key for records in out.changes.values() for key, _ in records] == [KEYS.person("u-1").encode()]
    assert normaliser.batch(0, [], T + 60_000, NormaliserState()).changes == {}
