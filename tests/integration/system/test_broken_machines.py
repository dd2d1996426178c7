"""Topics that vanish, disks that fill up, files that break: a clear message, an end, and nothing lost."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tamis.records.topics import Topic
from tamis.stores.replica_file import ReplicaFolder
from tamis.streaming.run import EXIT_FATAL
from tests.support.patience import Deadline
from tests.support.process import Process
from tests.support.system import System, now_ms
from tests.support.traffic import Traffic, canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.kafka.cluster import KafkaCluster

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

WRONG_SETUP = 2
FULL_KB = 512
PEOPLE = 4_000


@pytest.fixture
def system(kafka: KafkaCluster, tmp_path: Path) -> Iterator[System]:
    with System(kafka, tmp_path, {"kafka.transaction_timeout_s": 15.0}, raw_partitions=2) as system:
        yield system


def started(system: System) -> Process:
    """A replica, and a worker with all roles that has something to do."""
    system.start("replica")
    worker = system.start("worker", "--role", "all")
    system.load(Topic.CONSENT_RAW, Traffic(people=20, at_ms=now_ms()).statements(4))
    system.wait_for_consent()
    return worker


def some(system: System, count: int = 200) -> list[tuple[int, int]]:
    return system.send([value for value, _ in Traffic(people=20, at_ms=now_ms()).events(count)])


def ended(worker: Process, seconds: float = 90.0) -> int:
    """Exit code of a worker that should end by itself; fails when it does not."""
    worker.stopped = True
    deadline = Deadline(seconds)
    while worker.exit_code() is None:
        deadline.check(worker.said()[-3_000:])
        time.sleep(0.1)
    code = worker.exit_code()
    assert code is not None
    return code


def test_an_output_topic_deleted_under_a_running_worker(system: System) -> None:
    worker = started(system)
    before = some(system)
    system.wait_for_intake()
    system.kafka.delete_topics(system.topic("crm.hubspot"))
    after = some(system)
    assert ended(worker) == EXIT_FATAL
    assert f"there is no topic {system.topic('crm.hubspot')}" in worker.said()
    refused = system.start("worker", "--role", "all")
    assert ended(refused) == WRONG_SETUP
    assert f"topic {system.topic('crm.hubspot')} is missing" in refused.said()
    system.apply_topics()
    system.start("worker", "--role", "all")
    system.wait_for_intake()
    leaves = system.leaves()
    assert {at[:2] for at in leaves} == {*before, *after}, "every event is decided once"
    system.wait_for_counts()
    found = system.read_back()
    deleted = sum(leaf["dest"].get("hubspot") == "granted" for at, leaf in leaves.items() if at[:2] in set(before))
    assert found.lost == deleted > 0, "nothing but what was deleted is missing"
    assert not found.repeated + found.missing + found.doubled
    assert not found.unbalanced


def test_the_input_topic_deleted_under_a_running_worker(system: System) -> None:
    worker = started(system)
    places = some(system)
    system.wait_for_intake()
    system.kafka.delete_topics(system.topic("events.raw"))
    assert ended(worker) == EXIT_FATAL
    assert f"topic {system.topic('events.raw')} does not exist any more" in worker.said()
    refused = system.start("worker", "--role", "all")
    assert ended(refused) == WRONG_SETUP
    assert f"topic {system.topic('events.raw')} is missing" in refused.said()
    system.apply_topics()
    again = system.start("worker", "--role", "all")
    assert ended(again) == EXIT_FATAL
    assert "audit log ends before offset" in again.said(), "a log of other records is not continued"
    assert {at[:2] for at in system.leaves()} == set(places)


def test_a_disk_without_room_for_the_replica(system: System) -> None:
    worker = system.start("worker", "--role", "all")
    limited = ("/bin/sh", "-c", f'ulimit -f {FULL_KB}; exec "$@"', "sh")
    full = system.start("replica", under=limited)
    statements = [canonical(f"visitor-{n}", {"analytics": "granted"}, now_ms() - 1_000) for n in range(PEOPLE)]
    system.say(*statements)
    code = ended(full)
    assert code == WRONG_SETUP, full.said()
    assert "no room left on the disk for the consent replica" in full.said()
    assert "Traceback" not in full.said()
    some(system)
    system.start("replica")
    system.wait_for_consent()
    system.wait_for_intake()
    system.wait_for_counts()
    assert system.read_back().sound()
    assert worker.exit_code() is None, "the worker waited"


def test_a_damaged_replica_is_built_anew(system: System) -> None:
    worker = started(system)
    replica = next(process for process in system.processes if process.name == "replica")
    some(system)
    system.wait_for_intake()
    replica.stop()
    file = ReplicaFolder(Path(system.settings.replica_path())).file
    whole = bytearray(file.read_bytes())
    for page in range(2, len(whole) // 4096):
        whole[page * 4096 : page * 4096 + 1024] = bytes([page & 0xFF]) * 1024
    file.write_bytes(whole)
    again = system.start("replica")
    places = some(system)
    worker.stopped = True  # it may meet the damage before the file is replaced, and then it ends and is started again

    def decided() -> bool:
        if worker_now[0].exit_code() is not None:
            assert worker_now[0].exit_code() in {EXIT_FATAL, -signal.SIGBUS}
            worker_now[0] = system.start("worker", "--role", "all")
            worker_now[0].stopped = True
        return {at[:2] for at in system.leaves()} >= set(places)

    worker_now = [worker]
    system.wait_until(decided, "the events after the damage")
    assert again.exit_code() is None
    assert "rebuilt" in again.said() or "damaged" in again.said() or "cannot be" in again.said(), again.said()
    system.wait_for_counts()
    assert system.read_back().sound()
