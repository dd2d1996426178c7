"""Under real kills, freezes, joins, leaves and broker failures nothing is missing and nothing comes twice."""

from __future__ import annotations

import signal
import sys
import threading
import time
import uuid
from pathlib import Path

import msgspec
import pytest

from tamis.streaming.run import EXIT_FATAL
from tests.support.chaos import Chaos, ChaosReport, Workers
from tests.support.copy_worker import CopyJob
from tests.support.kafka.cluster import KafkaCluster
from tests.support.kafka.records import CommittedOffsets, feed_numbered, numbers, read_all

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(480)]

PARTITIONS = 8
STEPS = 20
TIMEOUT_SECONDS = 240.0  # a quiet machine of two cores needs 80


def _feed_rest(kafka: KafkaCluster, topic: str, done: int, events: int) -> None:
    step = max(1, (events - done) // STEPS // PARTITIONS) * PARTITIONS
    for start in range(done, events, step):
        feed_numbered(kafka.bootstrap, topic, min(step, events - start), PARTITIONS, start)
        time.sleep(1.0)


def _run(kafka: KafkaCluster, tmp_path: Path, job: CopyJob, faults: str, events: int) -> ChaosReport:
    topics = dict.fromkeys((f"{job.name}-in", f"{job.name}-a", f"{job.name}-b"), PARTITIONS)
    kafka.create_topics(topics)
    if job.table:
        kafka.create_topics({f"{job.name}-counts-changelog": PARTITIONS}, {"cleanup.policy": "compact"})
    loaded = events * 3 // 4 // PARTITIONS * PARTITIONS
    feed_numbered(kafka.bootstrap, f"{job.name}-in", loaded, PARTITIONS)
    feeding = threading.Thread(target=_feed_rest, args=(kafka, f"{job.name}-in", loaded, events))
    feeding.start()
    offsets = CommittedOffsets(kafka.bootstrap, job.name, f"{job.name}-in", PARTITIONS)

    def command(i: int) -> list[str]:
        argument = msgspec.json.encode(msgspec.structs.replace(job, worker=str(i))).decode()
        return [sys.executable, "-m", "tests.support.copy_worker", argument]

    def done() -> bool:
        return not feeding.is_alive() and offsets.total() >= events

    chaos = Chaos(kafka, Workers(command, tmp_path / "workers.log"), faults, offsets.total, done)
    try:
        report = chaos.run(2, timeout_s=TIMEOUT_SECONDS)
    finally:
        feeding.join()
        offsets.close()
    print(report)
    report.check_finished(tmp_path / "workers.log")
    assert report.hung == 0
    return report


def _job(kafka: KafkaCluster, **options: object) -> CopyJob:
    job = {"name": f"chaos-{uuid.uuid4().hex[:6]}", "bootstrap": kafka.bootstrap, "pause_s": 0.03} | options
    return msgspec.convert({"max_batch_records": 250, **job}, CopyJob)


def _check_copies(kafka: KafkaCluster, topic: str, events: int, *, duplicates_allowed: bool = False) -> None:
    copies, last = bytearray(events), [-1] * PARTITIONS
    for partition, n in numbers(read_all(kafka.bootstrap, topic, PARTITIONS)):
        copies[n] = min(255, copies[n] + 1)
        assert n % PARTITIONS == partition, "routed to another partition"
        assert duplicates_allowed or last[partition] < n, "out of order"
        last[partition] = n
    assert copies.count(0) == 0, f"{copies.count(0)} missing in {topic}"
    if not duplicates_allowed:
        assert max(copies) == 1, f"{sum(copies) - events} duplicates in {topic}"


def _check_counters(kafka: KafkaCluster, job: CopyJob, events: int) -> None:
    counts: dict[tuple[int, bytes], int] = {}
    for message in read_all(kafka.bootstrap, f"{job.name}-counts-changelog", PARTITIONS):
        counts[message.partition(), message.key()] = int(message.value())
    assert sum(counts.values()) == events


def test_exactly_once_with_a_table_under_worker_faults(kafka: KafkaCluster, tmp_path: Path) -> None:
    job, events = _job(kafka, table=True), 240_000
    report = _run(kafka, tmp_path, job, "kz+g-k", events)
    assert sum(report.exits.values()) >= 3
    _check_copies(kafka, f"{job.name}-a", events)
    _check_copies(kafka, f"{job.name}-b", events)
    _check_counters(kafka, job, events)


def test_exactly_once_under_broker_faults_and_agent_errors(kafka3: KafkaCluster, tmp_path: Path) -> None:
    job, events = _job(kafka3, table=True, fail=0.002), 120_000
    report = _run(kafka3, tmp_path, job, "BkB", events)
    assert report.exits.get(-signal.SIGKILL, 0) >= 1
    _check_copies(kafka3, f"{job.name}-a", events)
    _check_copies(kafka3, f"{job.name}-b", events)
    _check_counters(kafka3, job, events)


def test_at_least_once_misses_nothing(kafka: KafkaCluster, tmp_path: Path) -> None:
    job, events = _job(kafka, guarantee="at_least_once"), 100_000
    _run(kafka, tmp_path, job, "kg", events)
    _check_copies(kafka, f"{job.name}-a", events, duplicates_allowed=True)
    _check_copies(kafka, f"{job.name}-b", events, duplicates_allowed=True)


def test_a_skipped_batch_kills_the_worker_and_nothing_is_lost(kafka: KafkaCluster, tmp_path: Path) -> None:
    job, events = _job(kafka, skip=0.02), 40_000
    report = _run(kafka, tmp_path, job, "", events)
    assert "the agent skipped" in (tmp_path / "workers.log").read_text()
    assert report.exits.get(EXIT_FATAL, 0) >= 1
    _check_copies(kafka, f"{job.name}-a", events)
