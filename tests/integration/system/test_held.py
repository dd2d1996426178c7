"""Workers killed while events are held: none is lost, none leaves without a yes, none leaves twice; counts agree."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tamis.records.topics import Topic
from tests.support.held_books import HELD_LOGS, HeldBooks, read_held
from tests.support.system import System, now_ms
from tests.support.traffic import canonical, encoded, stamp

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.kafka.cluster import KafkaCluster
    from tests.support.process import Process

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

PARTITIONS, PEOPLE, EVENTS = 2, 20, 5
HOLD = "{first: 3s, last: 5s}"
YES = {"analytics": "granted", "marketing": "granted"}
NO = {"analytics": "denied", "marketing": "denied"}
Place = tuple[int, int, int]


def people(kind: str) -> list[str]:
    return [f"visitor-{kind}-{number}" for number in range(PEOPLE)]


def send(system: System, kind: str) -> set[Place]:
    """Events of people of whom nothing is known."""
    call = {"type": "track", "event": "newsletter_signup", "timestamp": stamp(now_ms())}
    values = [
        encoded(call | {"anonymousId": who, "messageId": f"{who}-{n}"}) for who in people(kind) for n in range(EVENTS)
    ]
    return {(*place, 0) for place in system.send(values)}


def books(system: System) -> HeldBooks:
    return read_held(system.settings, range(PARTITIONS))


def test_nothing_is_lost_or_leaked_or_sent_twice_when_workers_die_mid_hold(kafka: KafkaCluster, tmp_path: Path) -> None:
    with System(kafka, tmp_path, {"kafka.transaction_timeout_s": 15.0}, raw_partitions=PARTITIONS, hold=HOLD) as system:
        system.start("replica")
        for role in ("consent", "metrics"):
            system.start("worker", "--role", role)
        intake = system.start("worker", "--role", "intake")
        system.wait_for_consent()
        began = now_ms()
        said = {kind: send(system, kind) for kind in ("yes", "no", "silent")}
        system.wait_for_intake()
        held = {place for place, leaf in system.leaves().items() if leaf["out"] == "held"}
        assert held == set.union(*said.values())

        intake.kill()
        for kind, choices in (("yes", YES), ("no", NO)):
            for who in people(kind):
                system.say(canonical(who, choices, began - 60_000))  # no yes reaches back in time
        system.wait_for_consent()  # before anything is decided again: what becomes of it must not depend on speed

        release = system.start("worker", "--role", "release")
        release = _killed_at(system, release, 1)
        release = _killed_at(system, release, len(held) // 2)
        intake = system.start("worker", "--role", "intake")
        more = send(system, "late")
        system.wait_for_intake()
        release = _killed_at(system, release, len(held) // 2 + 1)
        everything = held | more
        system.wait_until(lambda: _decided(system) == len(everything), "all held events decided")

        found = books(system)
        _check(found, said | {"late": more})
        _check_outputs(system, found)
        system.wait_for_counts()
        sound = system.read_back()
        assert sound.sound(), sound
        assert (sound.outcomes["released"], sound.outcomes["held"]) == (len(said["yes"]), len(everything))
        assert {process.exit_code() for process in (intake, release)} == {None}


def _decided(system: System) -> int:
    for log in HELD_LOGS:
        system.wait_for_open_transactions(log)
    return len(books(system).decided)


def _killed_at(system: System, release: Process, decided: int) -> Process:
    """Kills the release worker once so many are decided, and starts another."""
    system.wait_until(lambda: len(books(system).decided) >= decided, f"{decided} held events decided")
    release.kill()
    return system.start("worker", "--role", "release")


def _check(found: HeldBooks, said: dict[str, set[Place]]) -> None:
    assert not found.broken
    assert not found.twice
    fates = {kind: Counter(found.decided[place] for place in places) for kind, places in said.items()}
    n = PEOPLE * EVENTS
    assert fates["yes"] == {("released", "granted"): n}
    assert fates["no"] == {("denied", "denied"): n}
    assert fates["silent"] == fates["late"] == {("denied", "undecided"): n}
    assert found.forwarded.keys() >= said["silent"] | said["late"]


def _check_outputs(system: System, found: HeldBooks) -> None:
    released = sum(outcome == "released" for outcome, _ in found.decided.values())
    for topic in (Topic.EVENTS_CLEAN, "crm.hubspot"):
        assert len(system.values(topic)) == released
    assert not system.values(Topic.EVENTS_QUARANTINE)
