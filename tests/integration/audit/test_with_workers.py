"""Workers and sealer together on a real Kafka: killed at any moment, and faced with an older state of the broker."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient

from tamis.domain.audit.leaf import HEAD_HEADER, decode_head
from tamis.kafka.reader import topic_ends
from tamis.records.topics import Topic
from tests.support.patience import Deadline
from tests.support.system import System, now_ms
from tests.support.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.support.kafka.cluster import KafkaCluster
    from tests.support.process import Process

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

PARTITIONS = 2


@pytest.fixture
def system(kafka: KafkaCluster, tmp_path: Path) -> Iterator[System]:
    options: dict[str, object] = {"sealer.interval_s": 0.2, "worker.max_batch_records": 200}
    with System(kafka, tmp_path, options, raw_partitions=PARTITIONS) as system:
        yield system


def _sealed(system: System) -> dict[str, int]:
    """Sealed sizes by origin, from the sealer's folder."""
    folder = system.folder / "state" / "sealer"
    notes = [path.read_text().split("\n") for path in folder.glob("audit.log/p*/e*/checkpoint")]
    return {lines[0]: int(lines[1]) for lines in notes}


def _verify(system: System, folder: str) -> tuple[bool, dict[str, int]]:
    keys = json.loads(system.run("keys", "sealer", "list", "--json").stdout)
    done = system.run("audit", "verify", folder, "--vkey", keys[-1]["vkey"], "--json")
    answer = json.loads(done.stdout)
    outcomes: Counter[str] = Counter()
    for report in answer["logs"]:
        if report["sealed"] is not None:
            outcomes.update(report["outcomes"])
    return bool(answer["verified"]), dict(outcomes)


def test_killed_workers_and_sealers_leave_one_leaf_an_event_all_sealed_and_then_an_old_state_is_refused(
    system: System,
) -> None:
    traffic = Traffic(people=20, at_ms=now_ms())
    system.start("replica")
    workers = [system.start("worker", "--role", "all") for _ in range(2)]
    sealer = system.start("sealer")
    system.load(Topic.CONSENT_RAW, traffic.statements(4))
    system.wait_for_consent()
    for round_ in range(4):
        system.send([value for value, _ in traffic.events(400)])
        workers[round_ % 2].kill()
        sealer.kill()
        workers[round_ % 2], sealer = system.start("worker", "--role", "all"), system.start("sealer")
    _keep_running(system, workers)
    system.wait_for_intake()
    leaves = system.leaves()
    system.wait_until(lambda: sum(_sealed(system).values()) == len(leaves), "all leaves to be sealed", 60)
    counted = Counter(leaf["out"] for leaf in leaves.values())
    folder = str(system.folder / "state" / "sealer")
    assert _verify(system, folder) == (True, dict(counted))
    _explained_and_opened(system, leaves)
    export = str(system.folder / "export")
    assert system.run("audit", "export", "--to", export).returncode == 0
    assert _verify(system, export)[1] == dict(counted)
    system.wait_for_counts()
    assert system.read_back().sound(), "ledger, counts and windows agree"
    for process in [*workers, sealer]:
        process.stop()
    _restore(system)
    started, sealer = [_expendable(system, "worker", "--role", "all")], _expendable(system, "sealer")

    def worker_refused() -> bool:
        """Whether it said so; one that ended for another reason before is started again, as the supervisor does."""
        if "the broker holds an older state" in started[-1].said():
            return True
        if started[-1].exit_code() is not None:
            started.append(_expendable(system, "worker", "--role", "all"))
        return False

    system.wait_until(worker_refused, "the worker to refuse", 90)
    system.wait_until(lambda: "log refused" in sealer.said(), "the sealer to refuse", 60)
    started[-1].kill()
    sealer.kill()


def _explained_and_opened(system: System, leaves: Mapping[tuple[int, int, int], dict[str, Any]]) -> None:
    """The sealer's folder alone explains a decision, and evidence made from it is about the event that was sent."""
    place = next(place for place, leaf in sorted(leaves.items()) if leaf["out"] == "accepted" and leaf["pid"])
    position = f"events.raw/{place[0]}/{place[1]}/{place[2]}"
    explained = system.run("explain", str(system.folder / "state" / "sealer"), "--position", position, "--json")
    assert explained.returncode == 0, explained.stdout + explained.stderr
    assert json.loads(explained.stdout)["reevaluated"] == "same"
    bundle, event, key = (system.folder / name for name in ("bundle.zip", "event.json", "log.vkey"))
    made = system.run("audit", "prove", "--position", position, "--open", "--to", str(bundle))
    assert "1 of 1 decisions can be opened" in made.stdout, made.stdout + made.stderr
    sent = (record for record in system.read(Topic.EVENTS_RAW) if (record.partition, record.offset) == place[:2])
    event.write_bytes(next(sent).value or b"")
    key.write_text(json.loads(system.run("keys", "sealer", "list", "--json").stdout)[-1]["vkey"])
    check = ("audit", "verify-bundle", str(bundle), "--vkey", str(key), "--event", str(event))
    assert system.run(*check).returncode == 0
    event.write_bytes(event.read_bytes() + b" ")
    assert system.run(*check).returncode == 1


def _expendable(system: System, *arguments: str) -> Process:
    """A process that may end by itself."""
    process = system.start(*arguments)
    process.stopped = True
    return process


def _keep_running(system: System, workers: list[Process]) -> None:
    """Does what the supervisor does until all is decided: a worker that a rebalance hit in a bad moment ends itself."""
    progress = system.progress()
    deadline = Deadline(90)
    ends = topic_ends(system.settings.kafka, system.topic(Topic.EVENTS_RAW))
    while progress.committed() != [ends[p] for p in range(PARTITIONS)]:
        deadline.check(system.tails())
        for number, worker in enumerate(workers):
            if worker.exit_code() is not None:
                assert worker.exit_code() == 70, worker.said()
                system.processes.remove(worker)
                workers[number] = system.start("worker", "--role", "all")
        time.sleep(0.2)
    progress.close()


def _restore(system: System) -> None:
    """The audit log and the group's offsets as they were behind the first head of partition 0."""
    topic, raw = system.topic(Topic.AUDIT_LOG), system.topic(Topic.EVENTS_RAW)
    kept = [record for record in system.read(Topic.AUDIT_LOG) if record.partition == 0]
    end = next(n for n, record in enumerate(kept) if HEAD_HEADER in record.headers)
    head = decode_head(kept[end].value or b"")
    system.kafka.delete_topics(topic)
    system.kafka.create_topics({topic: PARTITIONS})
    for record in kept[: end + 1]:
        system._producer.produce(topic, record.value, partition=0, headers=list(record.headers))
    system._producer.flush(30)
    admin = AdminClient({"bootstrap.servers": system.kafka.bootstrap})
    name = f"{system.prefix}{system.settings.worker.app_id}-intake"
    group = ConsumerGroupTopicPartitions(name, [TopicPartition(raw, 0, head.next)])
    for future in admin.alter_consumer_group_offsets([group]).values():
        future.result(30)
