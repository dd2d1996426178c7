"""Erasures while the consent role is killed: each destination is told once, each salt goes once, with one receipt."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import msgspec
import pytest

from tamis.domain.audit.requests import ErasureReceipt, decode_request
from tamis.domain.consent.model import SubjectRecord
from tamis.kafka.reader import read_topic
from tests.integration.consent.test_pipeline import LIMIT_S, Scene, consent, now
from tests.support.consent_worker import DESTINATIONS, ENROLMENT, KEYS
from tests.support.patience import Deadline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.kafka.cluster import KafkaCluster

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

PEOPLE = 800


@pytest.fixture
def scene(kafka: KafkaCluster) -> Iterator[Scene]:
    made = Scene(kafka, requests=True)
    yield made
    for worker in made.workers:
        if worker.process.poll() is None:
            worker.end()


def records(scene: Scene) -> dict[bytes, SubjectRecord]:
    """Subject key -> the record as it stands."""
    found = {}
    for record in read_topic(scene.kafka, scene.job.prefix + "consent.state"):
        if record.key is not None and not record.key.startswith(b"\x00") and record.value:
            found[record.key] = msgspec.json.decode(record.value, type=SubjectRecord)
    return found


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = Deadline(LIMIT_S)
    while not condition():
        deadline.check(what)
        time.sleep(0.5)


def erasure(person: str) -> bytes:
    return json.dumps({"type": "erasure", "identity": {"person": person}}).encode()


def test_kills_between_request_and_record_lose_nothing_and_tell_nothing_twice(scene: Scene) -> None:
    people = [f"u-{number}" for number in range(PEOPLE)]
    keys = {KEYS.person(person).encode() for person in people}
    worker = scene.start()
    scene.say(*(consent(person, "granted", now() - 1_000) for person in people))
    until(lambda: len(records(scene)) == PEOPLE, "a record each")
    salts = {key: record.salt for key, record in records(scene).items()}
    for start in range(0, PEOPLE, PEOPLE // 2):
        scene.ask(*(erasure(person) for person in people[start : start + PEOPLE // 2]))
        worker.kill()
        worker = scene.start()
    until(lambda: all(record.suppressed_at for record in records(scene).values()), "all suppressed")
    assert records(scene).keys() == keys

    told = [record.key for record in read_topic(scene.kafka, scene.job.prefix + "crm.retractions")]
    expected = {
        f"v1.{each.id}.1.{key.decode()}.{salt}".encode() for key, salt in salts.items() for each in DESTINATIONS
    }
    assert (len(told), set(told)) == (2 * PEOPLE, expected), "each once, made with the salt that went"
    public = ENROLMENT.public_key().public_bytes_raw()
    receipts = [
        decode_request(record.value or b"", public)
        for record in read_topic(scene.kafka, scene.job.prefix + "audit.requests")
    ]
    ids = {receipt.request for receipt in receipts if isinstance(receipt, ErasureReceipt) and receipt.records == 1}
    assert (len(receipts), len(ids)) == (PEOPLE, PEOPLE)
