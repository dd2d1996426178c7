"""From a consent payload to the view of a worker, on a real Kafka: records, order, kills, and the age of consent."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from confluent_kafka import Producer

from tamis.domain.consent.model import Status
from tamis.domain.quarantine import QuarantineEntry, open_entry
from tamis.kafka.follower import KafkaStateSource
from tamis.kafka.reader import read_topic
from tamis.services.replica import Replica, ReplicaPolicy, open_replica
from tamis.settings import KafkaSettings
from tamis.stores.consent_view import LmdbConsentView
from tests.support.consent_worker import KEYS, RAW_PARTITIONS, ConsentJob, day_key
from tests.support.kafka.cluster import KafkaCluster, free_ports
from tests.support.patience import Deadline

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

LIMIT_S = 60.0
MAX_AGE_S = 4.0


def now() -> int:
    return time.time_ns() // 1_000_000


class Worker:
    """A consent worker in a process of its own."""

    def __init__(self, job: ConsentJob) -> None:
        command = [sys.executable, "-m", "tests.support.consent_worker", msgspec.json.encode(job).decode()]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)

    def ready(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "READY\n"

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()


class Scene:
    """Topics of their own, a producer, workers."""

    def __init__(self, cluster: KafkaCluster, *, requests: bool = False) -> None:
        self.job = ConsentJob(prefix=f"c{uuid.uuid4().hex[:8]}.", bootstrap=cluster.bootstrap, requests=requests)
        self.kafka = KafkaSettings(bootstrap=cluster.bootstrap)
        cluster.create_topics(self.job.topics())
        self._producer = Producer({"bootstrap.servers": cluster.bootstrap, "log_level": 0})
        self.workers: list[Worker] = []

    def start(self) -> Worker:
        worker = Worker(self.job)
        self.workers.append(worker)
        worker.ready()
        return worker

    def say(self, *bodies: bytes, partition: int = 0, topic: str = "consent.raw") -> None:
        for body in bodies:
            self._producer.produce(self.job.prefix + topic, body, partition=partition)
        assert self._producer.flush(30) == 0

    def ask(self, *bodies: bytes) -> None:
        self.say(*bodies, topic="privacy.requests")

    def source(self) -> KafkaStateSource:
        return KafkaStateSource(self.kafka, self.job.prefix + "consent.state")


@pytest.fixture
def scene(kafka: KafkaCluster) -> Iterator[Scene]:
    made = Scene(kafka)
    yield made
    for worker in made.workers:
        if worker.process.poll() is None:
            worker.end()


def consent(person: str, status: str, effective_at: int, **extra: object) -> bytes:
    identity = {"person": person}
    body = {"type": "consent", "identity": identity, "choices": {"analytics": status}, "effective_at": effective_at}
    return json.dumps(body | extra).encode()


class Following:
    """A replica and its view, in this process."""

    def __init__(self, replica: Replica) -> None:
        self.replica = replica
        self.view = LmdbConsentView(replica.writer.place.folder, writer=replica.writer)
        self._stop = asyncio.Event()
        self.task = asyncio.create_task(replica.follow(self._stop))

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not condition():
                assert not self.task.done()
                await asyncio.sleep(0.01)

    def statuses(self, person: str) -> list[Status]:
        self.view.version()
        record = self.view.get(KEYS.person(person))
        return [] if record is None else [v.status for v in record.purposes["gdpr/analytics"]]

    async def end(self) -> None:
        self._stop.set()
        await self.task
        self.view.close()
        await self.replica.close()


async def follow(scene: Scene, folder: Path) -> Following:
    return Following(await open_replica(scene.source(), folder, ReplicaPolicy(poll_s=0.1)))


def test_a_payload_reaches_the_view_and_withdrawal_too(scene: Scene, tmp_path: Path) -> None:
    async def story() -> None:
        scene.start()
        at = await follow(scene, tmp_path)
        await at.until(lambda: at.view.gate(now(), MAX_AGE_S) is None)
        stated = now()
        scene.say(consent("u-1", "granted", stated), b"no json", consent("u-2", "denied", stated))
        await at.until(lambda: at.statuses("u-1") == [Status.GRANTED] and at.statuses("u-2") == [Status.DENIED])
        said = time.monotonic()
        scene.say(consent("u-1", "withdrawn", stated + 1), partition=1)
        await at.until(lambda: at.statuses("u-1") == [Status.WITHDRAWN, Status.GRANTED])
        assert time.monotonic() - said < 20, "a withdrawal does not wait for a timeout somewhere"
        await at.end()

    asyncio.run(story())
    entries = [r.value for r in read_topic(scene.kafka, scene.job.prefix + "events.quarantine") if r.value]
    entry = msgspec.json.decode(entries[0], type=QuarantineEntry)
    assert (len(entries), entry.stage, entry.reason, entry.topic) == (1, "consent", "not_json", "consent.raw")
    assert open_entry(entry, day_key(entry.key_id.partition("/")[2])) == b"no json"


def test_killing_the_consent_role_makes_consent_too_old_and_it_recovers(scene: Scene, tmp_path: Path) -> None:
    async def story() -> None:
        worker = scene.start()
        at = await follow(scene, tmp_path)
        await at.until(lambda: at.view.gate(now(), MAX_AGE_S) is None)
        worker.kill()
        killed = time.monotonic()
        await at.until(lambda: at.view.gate(now(), MAX_AGE_S) == "consent_too_old")
        assert time.monotonic() - killed < MAX_AGE_S + 10
        await asyncio.to_thread(scene.start)
        await at.until(lambda: at.view.gate(now(), MAX_AGE_S) is None)
        await at.end()

    asyncio.run(story())


def test_kills_lose_no_consent_and_make_one_record_each(scene: Scene, tmp_path: Path) -> None:
    people = [f"u-{number}" for number in range(3_000)]
    stated = now() - 10_000

    def speak() -> None:
        for start in range(0, len(people), 500):
            part = people[start : start + 500]
            scene.say(*(consent(p, "granted", stated) for p in part), partition=start // 500 % RAW_PARTITIONS)
            scene.say(
                *(consent(p, "withdrawn", stated + 5) for p in part), partition=(start // 500 + 1) % RAW_PARTITIONS
            )

    async def story() -> None:
        worker = scene.start()
        at = await follow(scene, tmp_path)
        for _ in range(2):
            await asyncio.to_thread(speak)
            worker.kill()
            worker = await asyncio.to_thread(scene.start)
        expected = [Status.WITHDRAWN, Status.GRANTED]
        await at.until(lambda: all(at.statuses(person) == expected for person in people))
        await at.end()

    asyncio.run(story())
    salts: dict[bytes, set[str]] = {}
    for record in read_topic(scene.kafka, scene.job.prefix + "consent.state"):
        if record.key is not None and not record.key.startswith(b"\x00") and record.value:
            salts.setdefault(record.key, set()).add(json.loads(record.value)["salt"])
    assert set(salts) == {KEYS.person(person).encode() for person in people}
    assert all(len(found) == 1 for found in salts.values()), "no second life of a subject under another salt"


def test_a_replica_that_is_killed_resumes(scene: Scene, tmp_path: Path) -> None:
    command, port = [sys.executable, "-m", "tamis.cli.main", "replica"], free_ports(1)[0]
    environment = {
        "TAMIS_KAFKA__BOOTSTRAP": scene.kafka.bootstrap,
        "TAMIS_TOPICS__PREFIX": scene.job.prefix,
        "TAMIS_CONSENT__REPLICA_PATH": str(tmp_path / "replica"),
        "TAMIS_TELEMETRY__PORT": str(port),
        "PATH": "/usr/bin:/bin",
    }
    scene.start()
    stated = now() - 1_000
    view = LmdbConsentView(tmp_path / "replica")

    def wait(condition: Callable[[], bool]) -> None:
        deadline = Deadline(LIMIT_S)
        while not condition():
            deadline.check()
            time.sleep(0.02)

    def knows(person: str) -> bool:
        view.version()
        return view.get(KEYS.person(person)) is not None

    with contextlib.ExitStack() as stack:

        def start() -> subprocess.Popen[str]:
            process = subprocess.Popen(command, env=environment, text=True, stderr=subprocess.PIPE)
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process

        first = start()
        scene.say(consent("u-1", "granted", stated))
        wait(lambda: knows("u-1"))
        first.kill()
        first.wait()
        scene.say(consent("u-2", "granted", stated))
        second = start()
        wait(lambda: knows("u-2") and view.gate(now(), MAX_AGE_S) is None)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as shown:
            assert b"tamis_replica_applied_total" in shown.read()
        other = environment | {"TAMIS_TELEMETRY__PORT": "0"}
        third = subprocess.run(command, env=other, text=True, capture_output=True, check=False)
        assert (third.returncode, "another replica process runs" in third.stderr) == (2, True)
        second.send_signal(signal.SIGTERM)
        _, said = second.communicate(timeout=30)
        assert second.returncode == 0
        assert "resumed" in said
        once = subprocess.run([*command, "--once"], env=environment, capture_output=True, check=False, timeout=LIMIT_S)
        assert once.returncode == 0
    view.close()
