"""Keys rotate under running workers: nothing is lost or twice, both pseudonyms while the overlap runs, then one.

A withdrawal afterwards reaches what destinations hold under every epoch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tamis.domain.subject import salt_of
from tamis.records.topics import Topic
from tamis.streaming.parts import keyring, load_parts
from tests.support.system import System, now_ms
from tests.support.traffic import canonical, encoded, stamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.kafka.cluster import KafkaCluster

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

WHO = "visitor-rotating"
EVENTS = 12


@pytest.fixture(scope="module")
def system(kafka: KafkaCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with System(kafka, tmp_path_factory.mktemp("rotation"), raw_partitions=2) as system:
        system.start("replica")
        system.start("worker", "--role", "intake", "--role", "consent")
        yield system


def signups(label: str) -> list[bytes]:
    call = {"type": "track", "event": "newsletter_signup", "anonymousId": WHO, "timestamp": stamp(now_ms())}
    return [encoded(call | {"messageId": f"{label}-{number}"}) for number in range(EVENTS)]


def sent(system: System, topic: str) -> dict[str, dict[str, Any]]:
    return {value["event_id"]: value for value in system.values(topic)}


def named(system: System, topic: str, epoch: str) -> list[dict[str, Any]]:
    """The records whose subject is named under an epoch."""
    return [each for each in sent(system, topic).values() if each["subject"].split(".")[2] == epoch]


def after(system: System, epoch: str) -> None:
    """Sends events until the workers name them under an epoch."""
    for attempt in range(30):
        system.send(signups(f"{epoch}-{attempt}"))
        system.wait_for_intake()
        if named(system, "events.clean", epoch):
            system.send(signups(f"{epoch}-last"))
            system.wait_for_intake()
            return
    raise AssertionError(f"no worker took epoch {epoch} up:\n{system.tails()}")


def test_keys_rotate_under_a_running_worker(system: System) -> None:
    system.say(canonical(WHO, {"analytics": "granted", "marketing": "granted"}, now_ms() - 1_000))
    system.wait_for_consent()
    topics = ("events.clean", "crm.hubspot")
    system.send(signups("first"))
    system.wait_for_intake()
    old = {topic: {each["subject"] for each in sent(system, topic).values()} for topic in topics}
    assert all(len(subjects) == 1 for subjects in old.values()), old

    assert system.run("keys", "rotate", "--overlap-days", "1").returncode == 0
    after(system, "2")
    for topic in topics:
        records = named(system, topic, "2")
        assert {each["pid_prev"] for each in records} == old[topic]
        assert len({each["subject"] for each in records}) == 1
    assert system.run("keys", "rotate", "--incident").returncode == 0
    after(system, "3")
    for topic in topics:
        records = named(system, topic, "3")
        assert records
        assert all("pid_prev" not in each for each in records)

    ring = keyring(load_parts(system.settings))
    with system.consent() as view:
        view.version()
        key = ring.subjects.device(WHO)
        names = {
            name
            for destination in ("clean", "hubspot", "marketo")
            for name in ring.live_pseudonyms(destination, salt_of(view.get(key)), key)
        }
    leaves = system.leaves().values()
    assert {leaf["out"] for leaf in leaves} == {"accepted"}
    assert {leaf["pid"].split(".")[2] for leaf in leaves} == {"1", "2", "3"}
    assert len(leaves) == len(sent(system, "events.clean")), "each event leaves once, whatever happens to keys"
    seen = {each["subject"] for topic in topics for each in sent(system, topic).values()}
    assert len(names) == 9
    assert seen <= names
    system.say(canonical(WHO, {"analytics": "withdrawn", "marketing": "withdrawn"}, now_ms()))
    system.wait_until(
        lambda: {each["subject"] for each in system.values(Topic.CRM_RETRACTIONS)} == names,
        "a retraction for each destination and epoch",
    )
