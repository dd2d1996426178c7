"""An opening shows which event a decision is about, to whoever has the event, and is gone with the salt."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from tamis.domain.audit.evidence import Evidence, State
from tamis.domain.audit.evidence_check import Trust, check, verified
from tamis.domain.audit.log import AuditLog
from tamis.domain.audit.opening import OpeningError, decode_opening
from tamis.domain.consent.model import Status
from tamis.envelopes.decoder import Decoder
from tamis.records.batch import RawBatch
from tamis.services.evidence import EvidenceGatherer
from tamis.services.leaf_search import by_position, parse_position
from tamis.services.opening import Openings, given_records
from tamis.stores.sealed_folder import SealedFolder
from tests.support.core import START, ConsentTable, FixedKeys, StoredRecord, small_intake, track
from tests.support.sealed import SealedLog
from tests.support.sealed_folder import write_log
from tests.support.sealed_prod import BASE, KEY

if TYPE_CHECKING:
    from pathlib import Path

ALONE = track("m-1")
PAIR = json.dumps({"batch": [json.loads(track("m-2")), json.loads(track("m-3", userId="user-1"))]}).encode()
UNKNOWN = track("m-4", anonymousId="device-2")
BODIES = (ALONE, PAIR, UNKNOWN, b"no json")


def consent_of(*, erased: bool = False) -> ConsentTable:
    table = ConsentTable()
    table.set_device("device-1", analytics=Status.GRANTED)
    table.set_person("user-1", analytics=Status.GRANTED)
    if erased:
        table.records = {
            key: replace(record, salt="", purposes={}, suppressed_at=START) for key, record in table.records.items()
        }
    return table


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> SealedFolder:
    place = tmp_path_factory.mktemp("logs")
    records = [StoredRecord(offset, START, body) for offset, body in enumerate(BODIES)]
    batch = RawBatch("events.raw", 0, records, 0, len(records), START)
    origin = f"{BASE}/audit.log/p0/e1"
    write_log(place, SealedLog(small_intake(consent_of()).process(AuditLog(origin), batch).leaves, origin))
    return SealedFolder(place)


def openings(consent: ConsentTable, *bodies: bytes) -> Openings:
    decoder = Decoder(FixedKeys().derive("event-id"))
    return Openings(consent.subjects, consent, decoder, given_records(bodies))


def evidence(folder: SealedFolder, opener: Openings) -> Evidence:
    places = ("events.raw/0/0/0", "events.raw/0/1/0", "events.raw/0/1/1", "events.raw/0/2/0", "events.raw/0/3/0")
    found = [leaf for place in places for leaf in by_position(folder, parse_position(place))]
    assert len(found) == len(places)
    return EvidenceGatherer(folder, open_=opener.of).gather(found)


def line(found: Evidence, *events: bytes) -> Any:
    lines = check(found, Trust(keys=(KEY,), events=events))
    (event,) = (each for each in lines if each.check == "event")
    assert verified(lines) is (event.state is not State.FAILED)
    return event


def test_decisions_open_for_whoever_holds_the_event(folder: SealedFolder) -> None:
    found = evidence(folder, openings(consent_of(), *BODIES))
    opened = [bool(item.opening) for item in found.manifest.items]
    assert opened == [True, True, True, False, False], "nobody was known, or nothing could be read"
    assert line(found, ALONE, PAIR).state is State.OK
    assert line(found).state is State.NOT_CHECKED


def test_another_event_is_not_the_one(folder: SealedFolder) -> None:
    found = evidence(folder, openings(consent_of(), *BODIES))
    for changed in (track("m-9"), ALONE + b" ", PAIR[:-1]):
        assert line(found, ALONE, PAIR, changed).state is State.FAILED, "no decision is about it"
    assert line(found, PAIR).state is State.FAILED, "one of the decisions is about another event"


def test_a_changed_opening_opens_nothing(folder: SealedFolder) -> None:
    found = evidence(folder, openings(consent_of(), *BODIES))
    name = found.manifest.items[0].opening
    honest = decode_opening(found.files[name])
    other = decode_opening(found.files[found.manifest.items[1].opening])
    told = {"cm": honest.cm, "key": honest.key, "index": 0, "alone": True}
    forged = [told | {"key": "0" * 64}, told | {"cm": other.cm, "key": other.key, "alone": False},
              told | {"key": honest.key[:62]}, told | {"key": "zz"}, told | {"index": -1}]  # fmt: skip
    for value in (b"", b"{}", b"[" * 10_000, *(json.dumps(each).encode() for each in forged)):
        changed = Evidence(found.manifest, {**found.files, name: value})
        assert line(changed, ALONE, PAIR).state is State.FAILED
    with pytest.raises(OpeningError):
        decode_opening(b"{}")


def test_after_erasure_nothing_opens_and_everything_else_still_verifies(folder: SealedFolder) -> None:
    found = evidence(folder, openings(consent_of(erased=True), *BODIES))
    assert not any(item.opening for item in found.manifest.items)
    assert line(found, ALONE).state is State.FAILED
    states = {each.check: each.state for each in check(found, Trust(keys=(KEY,)))}
    assert (states["inclusion"], states["signature"], states["event"]) == (State.OK, State.OK, State.NOT_CHECKED)


def test_a_person_who_came_back_with_a_new_salt_does_not_open_what_was_before(folder: SealedFolder) -> None:
    fresh = consent_of()
    fresh.records = {key: replace(record, salt="bmV3" * 10 + "bmU") for key, record in fresh.records.items()}
    assert not any(item.opening for item in evidence(folder, openings(fresh, *BODIES)).manifest.items)


def test_wrong_records_open_nothing(folder: SealedFolder, tmp_path: Path) -> None:
    del tmp_path
    for bodies in ((), (b"",), (UNKNOWN,), (track("m-9"),)):
        assert not any(item.opening for item in evidence(folder, openings(consent_of(), *bodies)).manifest.items)
