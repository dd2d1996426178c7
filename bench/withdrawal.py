"""How long a withdrawal takes to be in force: from producing it to the replica that workers read, on a real Kafka.

    python -m bench.withdrawal [--people N]

A person says yes, then withdraws; timed is from producing the withdrawal until the host's replica has it (no batch that
begins later lets anything out) and until its retraction can be read, ``read_committed``. Beside it stands a reference
of the same run: one bare record produced and read back. Prints a table and, on the last line, JSON. Broker, workers and
this program share the processors.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from confluent_kafka import Consumer, Producer, TopicPartition

from tamis.domain.consent.model import Status
from tamis.domain.subject import salt_of
from tamis.kafka.tail import TopicTail
from tamis.records.topics import Topic
from tamis.streaming.parts import keyring, load_parts
from tests.support.kafka.cluster import KafkaCluster
from tests.support.system import System, now_ms
from tests.support.traffic import canonical

YES = {"analytics": "granted", "marketing": "granted"}
NO = dict.fromkeys(YES, "withdrawn")
LIMIT_S, PAUSE_S = 30.0, 0.05
Timed = tuple[float, float]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=60)
    people = [f"leaving-{number}" for number in range(parser.parse_args().people)]
    with KafkaCluster() as kafka, tempfile.TemporaryDirectory() as folder, System(kafka, Path(folder)) as system:
        system.start("replica")
        system.start("worker", "--role", "consent")
        system.say(*(canonical(who, YES, now_ms() - 60_000) for who in people))
        system.wait_for_consent()
        bare = Bare(kafka)
        reference = [bare.trip() for _ in people]
        timed = withdrawals(system, people)
    show({"bare record, produce to read": reference, "withdrawal, produce to replica": [each[0] for each in timed],
          "withdrawal, produce to retraction read": [each[1] for each in timed]})  # fmt: skip


def withdrawals(system: System, people: list[str]) -> list[Timed]:
    """Seconds to the replica and to the retraction, of each."""
    ring = keyring(load_parts(system.settings))
    retractions = [(system.topic(Topic.CRM_RETRACTIONS), system.settings.topics.raw_partitions)]
    producer, found = Producer({"bootstrap.servers": system.kafka.bootstrap, "linger.ms": 0}), []
    producer.list_topics(system.topic(Topic.CONSENT_RAW), LIMIT_S)
    with system.consent() as view, TopicTail(system.settings.kafka, retractions) as tail:
        for who in people:
            key = ring.subjects.device(who)
            view.version()
            name = ring.live_pseudonyms("hubspot", salt_of(view.get(key)), key)[0].encode()
            begun = time.monotonic()
            producer.produce(system.topic(Topic.CONSENT_RAW), canonical(who, NO, now_ms()), partition=0)
            producer.flush(LIMIT_S)

            def withdrawn(key: str = key) -> bool:
                view.version()
                record = view.get(key)
                return record is not None and record.purposes["gdpr/marketing"][0].status is Status.WITHDRAWN

            in_force = until(withdrawn) - begun
            told = until(lambda name=name: any(record.key == name for record in tail.poll(0.005)))  # type: ignore[misc]
            found.append((in_force, told - begun))
            time.sleep(PAUSE_S)
    return found


def until(condition: Callable[[], bool]) -> float:
    """When it came true.

    Raises:
        TimeoutError: it did not within ``LIMIT_S``.
    """
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.002)
    return time.monotonic()


class Bare:
    """A topic, a producer and a consumer that is already there."""

    def __init__(self, kafka: KafkaCluster) -> None:
        self.topic = f"bare-{uuid4().hex[:8]}"
        kafka.create_topics({self.topic: 1})
        self.producer = Producer({"bootstrap.servers": kafka.bootstrap, "linger.ms": 0})
        self.consumer = Consumer(
            {"bootstrap.servers": kafka.bootstrap, "group.id": self.topic, "auto.offset.reset": "earliest"}
        )
        self.consumer.assign([TopicPartition(self.topic, 0, 0)])
        self.trip()

    def trip(self) -> float:
        """Seconds of one record."""
        begun = time.monotonic()
        self.producer.produce(self.topic, b"x", partition=0)
        self.producer.flush(LIMIT_S)
        if self.consumer.poll(LIMIT_S) is None:
            raise TimeoutError
        return time.monotonic() - begun


def show(figures: dict[str, list[float]]) -> None:
    """Print the table and the JSON."""
    rows = {}
    print(f"{'ms':<42}{'p50':>9}{'p99':>9}{'max':>9}{'x bare':>9}")
    bare = statistics.median(next(iter(figures.values())))
    for name, seconds in figures.items():
        ordered = sorted(seconds)
        p50, p99 = statistics.median(ordered), ordered[round(0.99 * (len(ordered) - 1))]
        rows[name] = {
            "p50_ms": round(1e3 * p50, 1),
            "p99_ms": round(1e3 * p99, 1),
            "max_ms": round(1e3 * ordered[-1], 1),
        }
        print(f"{name:<42}{1e3 * p50:>9.1f}{1e3 * p99:>9.1f}{1e3 * ordered[-1]:>9.1f}{p50 / bare:>9.1f}")
    print(json.dumps({"n": len(ordered), **rows}))


if __name__ == "__main__":
    main()
