"""A person asks to be erased: destinations are told, the salt goes, and nothing that comes later brings them back."""

from __future__ import annotations

import json
import subprocess
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tamis.domain.audit.requests import ENROLMENT_LABEL, ErasureReceipt, decode_request, enrolment_key
from tamis.domain.consent.model import SubjectRecord, is_heartbeat
from tamis.domain.consent.verdict import state_of
from tamis.domain.subject import salt_of
from tamis.keys.provider import open_keys
from tamis.records.topics import CATALOGUE, Topic
from tamis.streaming.parts import keyring, load_parts
from tests.support.system import System, now_ms
from tests.support.traffic import encoded, stamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.kafka.cluster import KafkaCluster

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

PERSON, DEVICE, OTHER = "erasing-person-1", "erasing-device-1", "staying-person-1"
YES = {"analytics": "granted", "marketing": "granted"}
RAW = {Topic.EVENTS_RAW, Topic.CONSENT_RAW, Topic.PRIVACY_REQUESTS}
DESTINATIONS = {"clean": Topic.EVENTS_CLEAN.value, "hubspot": "crm.hubspot"}


@pytest.fixture(scope="module")
def system(kafka: KafkaCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with System(kafka, tmp_path_factory.mktemp("erasure"), raw_partitions=4) as system:
        system.start("replica")
        system.start("worker", "--role", "all")
        yield system


def statement(**identity: str) -> bytes:
    body = {"type": "consent", "identity": identity, "choices": YES, "effective_at": now_ms() - 1_000}
    return encoded(body)


def signups(number: int, **ids: str) -> list[bytes]:
    call = {"type": "track", "event": "newsletter_signup", "timestamp": stamp(now_ms()), **ids}
    return [encoded(call | {"messageId": f"{ids}-{n}-{now_ms()}"}) for n in range(number)]


def asked(system: System, kind: str, identity: dict[str, str], *more: str) -> subprocess.CompletedProcess[str]:
    command = system.command("privacy", "request", "--type", kind, "--json", *more)
    said = json.dumps(identity)
    return subprocess.run(command, input=said, capture_output=True, text=True, timeout=90, check=False)


def outcomes(system: System, places: list[tuple[int, int]]) -> set[tuple[str, str]]:
    system.wait_for_intake()
    leaves = system.leaves()
    return {(leaves[(*place, 0)]["out"], leaves[(*place, 0)]["why"]) for place in places}


def records_of(system: System) -> dict[str, SubjectRecord | None]:
    keys = keyring(load_parts(system.settings)).subjects
    with system.consent() as view:
        view.version()
        return {
            PERSON: view.get(keys.person(PERSON)),
            DEVICE: view.get(keys.device(DEVICE)),
            OTHER: view.get(keys.person(OTHER)),
        }


def receipts(system: System) -> list[ErasureReceipt]:
    public = enrolment_key(open_keys(system.settings).derive(ENROLMENT_LABEL)).public_key().public_bytes_raw()
    found = [decode_request(record.value or b"", public) for record in system.read(Topic.AUDIT_REQUESTS)]
    return [each for each in found if isinstance(each, ErasureReceipt)]


def test_erasure_from_the_request_to_the_receipt(system: System) -> None:
    system.say(statement(person=PERSON, device=DEVICE), statement(person=OTHER))
    system.wait_for_consent()
    before = system.send(signups(5, userId=PERSON, anonymousId=DEVICE) + signups(5, anonymousId=DEVICE))
    others = system.send(signups(5, userId=OTHER))
    assert outcomes(system, before + others) == {("accepted", "granted")}

    report: dict[str, Any] = json.loads(asked(system, "access", {"person": PERSON}).stdout)
    assert [each["state"] for each in report["subjects"]] == ["held"]
    assert {each["destination"]: each["count"] for each in report["deliveries"]} == {
        "clean": 5, "hubspot": 5, "marketo": 0,
    }  # fmt: skip
    known = records_of(system)
    salts = {who: salt_of(record) for who, record in known.items()}
    assert all(salts.values())

    done = asked(system, "erasure", {"person": PERSON}, "--wait", "60")
    assert (done.returncode, json.loads(done.stdout)["state"]) == (0, "in force"), done.stderr
    request = json.loads(done.stdout)["request"]
    system.wait_until(lambda: len(receipts(system)) >= 2, "two receipts")
    assert {(each.request, each.records) for each in receipts(system)} == {(request, 1)}

    system.wait_for_consent()
    gone = records_of(system)
    assert [state_of(record) for record in gone.values() if record is not None] == ["erased", "erased", ""]
    told = system.values(Topic.CRM_RETRACTIONS)
    ring = keyring(load_parts(system.settings))
    subjects = ring.subjects
    expected = {
        ring.pseudonymisers[domain].pseudonym(salts[who], key)
        for domain in ("clean", "hubspot", "marketo")
        for who, key in ((PERSON, subjects.person(PERSON)), (DEVICE, subjects.device(DEVICE)))
    }
    assert {each["subject"] for each in told} == expected
    assert {each["reason"] for each in told} == {"erasure"}

    system.say(statement(person=PERSON, device=DEVICE))
    system.wait_for_consent()
    late = system.send(signups(5, userId=PERSON, anonymousId=DEVICE) + signups(5, anonymousId=DEVICE))
    assert outcomes(system, late) == {("denied", "erased")}
    assert outcomes(system, system.send(signups(5, userId=OTHER))) == {("accepted", "granted")}
    assert [state_of(record) for record in records_of(system).values() if record is not None] == [
        "erased",
        "erased",
        "",
    ]

    no_identity_is_left(system, done.stdout)
    delivered = {record.key for topic in DESTINATIONS.values() for record in system.read(topic)}
    left = set(map(salt_of, latest_records(system)))
    keys_of_gone = (subjects.person(PERSON), subjects.device(DEVICE))
    again = {
        name.encode() for salt in left - {b""} for key in keys_of_gone for domain in DESTINATIONS
        for name in ring.live_pseudonyms(domain, salt, key)
    }  # fmt: skip
    assert expected & {key.decode() for key in delivered if key}, "they were sent something"
    assert not again & delivered, "no key and no salt that is left makes a pseudonym of theirs"


def latest_records(system: System) -> list[SubjectRecord]:
    """Every subject record as compaction leaves it."""
    found = {
        record.key: record.value for record in system.read(Topic.CONSENT_STATE) if not is_heartbeat(record.key or b"")
    }
    return [msgspec.json.decode(value, type=SubjectRecord) for value in found.values() if value]


def no_identity_is_left(system: System, said: str) -> None:
    """Topics with a short retention aside, neither id is in any record, file or log, as it stands or encoded."""
    forms = [
        form for name in (PERSON, DEVICE) for form in (name.encode(), name.encode().hex().encode(), in_base64(name))
    ]
    fixed = [spec.name for spec in CATALOGUE if spec.name not in RAW]
    records = [record for topic in (*fixed, "crm.hubspot", "crm.marketo") for record in system.read(topic)]
    places = [(record.key or b"") + (record.value or b"") for record in records]
    places += [path.read_bytes() for path in system.folder.rglob("*") if path.is_file()]
    assert not any(form in place for place in (*places, said.encode()) for form in forms)


def in_base64(name: str) -> bytes:
    """The inner characters of its base64, which do not depend on what stands around it."""
    return b64encode(name.encode())[2:-4]


def test_restriction_its_end_and_objection(system: System) -> None:
    who = "restricted-person-1"
    system.say(statement(person=who))
    system.wait_for_consent()
    assert outcomes(system, system.send(signups(3, userId=who))) == {("accepted", "granted")}

    for kind, more, expected in (
        ("restriction", ("--wait", "60"), ("denied", "restricted")),
        ("restriction", ("--lift", "--wait", "60"), ("accepted", "granted")),
        ("objection", ("--purpose", "marketing", "--wait", "60"), ("accepted", "granted")),
    ):
        done = asked(system, kind, {"person": who}, *more)
        assert done.returncode == 0, done.stderr
        system.wait_for_consent()
        places = system.send(signups(3, userId=who))
        assert outcomes(system, places) == {expected}
    system.wait_for_intake()
    leaf = system.leaves()[(*places[0], 0)]
    assert leaf["dest"] == {"clean": "granted", "hubspot": "withdrawn"}
    subjects = keyring(load_parts(system.settings))
    with system.consent() as view:
        view.version()
        key = subjects.subjects.person(who)
        record = view.get(key)
    mine = {each.pseudonym(salt_of(record), key) for each in subjects.pseudonymisers.values()}
    told = [each for each in system.values(Topic.CRM_RETRACTIONS) if each["subject"] in mine]
    assert {(each["destination"], each["reason"]) for each in told} == {
        ("clean", "restriction"), ("hubspot", "restriction"), ("marketo", "restriction"),
        ("hubspot", "objection"), ("marketo", "objection"),
    }  # fmt: skip


def test_what_is_no_request_is_quarantined_and_wrong_use_is_told(system: System) -> None:
    done = asked(system, "erasure", {"person": "anonymous"})
    assert (done.returncode, done.stdout) == (2, "")
    assert "line 1: the person is a placeholder" in done.stderr
    wrong = asked(system, "objection", {"person": PERSON}, "--purpose", "sport")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "the policy knows" in wrong.stderr
    assert PERSON not in wrong.stderr
