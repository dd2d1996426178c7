"""Once a withdrawal is in the replica, no batch that begins later lets an event of that person out."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tamis.domain.subject import salt_of
from tamis.records.topics import Topic
from tamis.streaming.parts import keyring, load_parts
from tests.support.system import System, now_ms
from tests.support.traffic import Traffic, canonical, encoded, stamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tamis.domain.consent.model import SubjectRecord
    from tests.support.kafka.cluster import KafkaCluster

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

PEOPLE = 8
EVENTS = 20
DESTINATIONS = ("clean", "hubspot", "marketo")
YES = {"analytics": "granted", "marketing": "granted"}
NO = {"analytics": "withdrawn", "marketing": "withdrawn"}


@pytest.fixture(scope="module")
def system(kafka: KafkaCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with System(kafka, tmp_path_factory.mktemp("withdrawal"), raw_partitions=4) as system:
        system.start("replica")
        system.start("worker", "--role", "all")
        yield system


def signups(who: str, count: int) -> list[bytes]:
    call = {"type": "track", "event": "newsletter_signup", "anonymousId": who, "timestamp": stamp(now_ms())}
    return [encoded(call | {"messageId": f"{who}-{number}-{now_ms()}"}) for number in range(count)]


def status(record: SubjectRecord | None) -> str | None:
    return None if record is None else record.purposes["gdpr/analytics"][0].status.value


def test_nothing_leaves_after_a_withdrawal(system: System) -> None:
    people = [f"visitor-leaving-{number}" for number in range(PEOPLE)]
    ring = keyring(load_parts(system.settings))
    subject = ring.subjects.device
    others = Traffic(people=30, at_ms=now_ms())
    system.load(Topic.CONSENT_RAW, others.statements(4))
    for who in people:
        system.say(canonical(who, YES, now_ms() - 1_000))
    system.wait_for_consent()
    before: list[tuple[int, int]] = []
    after: list[tuple[int, int]] = []
    stop = threading.Event()

    def chatter() -> None:
        while not stop.wait(0.02):  # so that batches are under way all the time
            system.send([value for value, _ in others.events(20)])

    with system.consent() as view:

        def knows(who: str, wanted: str) -> bool:
            view.version()
            return status(view.get(subject(who))) == wanted

        talking = threading.Thread(target=chatter)
        talking.start()
        try:
            for who in people:
                before += system.send(signups(who, EVENTS))
            system.wait_for_intake()
            for who in people:
                system.say(canonical(who, NO, now_ms()))
                system.wait_until(lambda who=who: knows(who, "withdrawn"), "the withdrawal in the replica")  # type: ignore[misc]
                after += system.send(signups(who, EVENTS))
        finally:
            stop.set()
            talking.join()
    system.wait_for_intake()
    leaves = system.leaves()
    assert [leaves[(*place, 0)]["out"] for place in before] == ["accepted"] * len(before)
    told = {(leaves[(*place, 0)]["out"], leaves[(*place, 0)]["why"]) for place in after}
    assert (len(after), told) == (PEOPLE * EVENTS, {("denied", "withdrawn")})
    with system.consent() as view:
        view.version()
        salts = {subject(who): salt_of(view.get(subject(who))) for who in people}
    expected = {
        name for key, salt in salts.items() for to in DESTINATIONS for name in ring.live_pseudonyms(to, salt, key)
    }
    sent = [each for each in system.values(Topic.CRM_RETRACTIONS) if each["subject"] in expected]
    assert len(sent) == len(expected) == PEOPLE * len(DESTINATIONS), "each destination of each person, once"
    assert {each["reason"] for each in sent} == {"withdrawn"}
    system.wait_for_counts()
    found = system.read_back()
    assert found.sound(), found
