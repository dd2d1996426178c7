"""The reference consumer on a real Kafka: killed again and again, nothing is lost, nothing twice, retractions hold."""

from __future__ import annotations

import contextlib
import json
import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from confluent_kafka import Producer

from tests.support.patience import Deadline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.kafka.cluster import KafkaCluster

pytestmark = pytest.mark.kafka
ROOT = Path(__file__).resolve().parents[3]
PEOPLE, EVENTS, ROUND = 40, 4_000, 200
LIMIT_S = 120.0
START = 1_795_000_000_000


class Stream:
    """Writes as tamis does: transactions, some aborted; events that producers repeat; retractions in between."""

    def __init__(self, kafka: KafkaCluster, prefix: str) -> None:
        self.prefix = prefix
        self._random = random.Random(7)
        self._producer = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": uuid4().hex})
        self._producer.init_transactions(60)
        self._number = 0
        self.events: dict[str, tuple[str, int]] = {}
        self.until: dict[str, int] = {}
        self.erased: set[str] = set()

    def write(self, count: int) -> None:
        """``count`` events and a few retractions, in rounds of one transaction each."""
        for start in range(0, count, ROUND):
            self._producer.begin_transaction()
            for _ in range(min(ROUND, count - start)):
                self._event()
            self._retraction()
            self._producer.commit_transaction(60)
            self._abort()

    def _event(self) -> None:
        if self.events and self._random.random() < 0.05:
            name = self._random.choice(list(self.events))
            who, at = self.events[name]
        else:
            self._number += 1
            name, who, at = f"e{self._number}", self._who(), START + self._number
            self.events[name] = who, at
        self._send("crm.hubspot", who, {"event_id": name, "subject": who, "occurred_at": at, "name": "x", "fields": {}})

    def _retraction(self) -> None:
        who, at = self._who(), START + self._number
        erasure = self._random.random() < 0.1
        body = {"subject": who, "destination": "hubspot", "purposes": ["marketing"], "effective_at": at}
        self._send("crm.retractions", who, body | {"reason": "erasure" if erasure else "withdrawn"})
        self._send(
            "crm.retractions", f"x{who}", body | {"subject": f"x{who}", "destination": "marketo", "reason": "denied"}
        )
        self.until[who] = at
        if erasure:
            self.erased.add(who)

    def _abort(self) -> None:
        self._producer.begin_transaction()
        who = self._who()
        body = {"event_id": f"aborted-{self._number}", "subject": who, "occurred_at": START, "name": "x", "fields": {}}
        self._send("crm.hubspot", who, body)
        self._producer.flush(60)
        self._producer.abort_transaction(60)

    def _who(self) -> str:
        return f"v1.hubspot.1.{self._random.randrange(PEOPLE)}"

    def _send(self, topic: str, key: str, value: dict[str, Any]) -> None:
        self._producer.produce(self.prefix + topic, json.dumps(value), key=key)

    def usable(self) -> set[str]:
        """What may be used in the end, whatever was read first."""
        return {
            name for name, (who, at) in self.events.items()
            if who not in self.erased and at > self.until.get(who, 0)
        }  # fmt: skip


@pytest.fixture
def stream(kafka: KafkaCluster) -> Stream:
    prefix = f"crm-{uuid4().hex[:8]}."
    kafka.create_topics({f"{prefix}crm.hubspot": 3, f"{prefix}crm.retractions": 2})
    return Stream(kafka, prefix)


def command(kafka: KafkaCluster, prefix: str, database: Path, *more: str) -> list[str]:
    words = ["hubspot", "--prefix", prefix, "--bootstrap", kafka.bootstrap, "--group", prefix, "--database"]
    return [sys.executable, str(ROOT / "examples/crm_consumer/consumer.py"), *words, str(database), *more]


@contextlib.contextmanager
def running(words: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as said:
        process = subprocess.Popen(words, stdout=said, stderr=said)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def one(database: Path, query: str) -> int:
    with (
        contextlib.closing(sqlite3.connect(database, timeout=30)) as store,
        contextlib.suppress(sqlite3.OperationalError),
    ):
        return int(store.execute(query).fetchone()[0] or 0)
    return 0


def until(condition: Callable[[], bool], what: str, log: Path) -> None:
    deadline = Deadline(LIMIT_S)
    while not condition():
        deadline.check(f"{what}\n{log.read_text()[-4_000:]}")
        time.sleep(0.05)


def test_kills_lose_nothing_and_repeat_nothing(kafka: KafkaCluster, stream: Stream, tmp_path: Path) -> None:
    database, log = tmp_path / "crm.sqlite", tmp_path / "log"
    words = command(kafka, stream.prefix, database, "--instance", "crm-1")
    seen = "SELECT count(*) FROM seen"
    for _ in range(3):
        stream.write(EVENTS // 4)
        with running(words, log):
            known = one(database, seen)
            until(lambda known=known: one(database, seen) > known, "events", log)  # type: ignore[misc]
    stream.write(EVENTS // 4)
    with running(words, log):
        until(lambda: one(database, seen) == len(stream.events), "all events", log)
        read = "SELECT sum(next) FROM offsets"
        until(lambda: _usable(database) == stream.usable(), "retractions to hold", log)
        before = one(database, read)
    assert one(database, seen) == len(stream.events)
    assert one(database, "SELECT count(*) FROM seen WHERE event_id LIKE 'aborted%'") == 0
    with running(words, log):  # it goes on where it was: nothing is read again
        stream.write(ROUND)
        until(lambda: one(database, seen) == len(stream.events), "what came later", log)
    assert one(database, read) > before
    assert _usable(database) == stream.usable()


def _usable(database: Path) -> set[str]:
    with contextlib.closing(sqlite3.connect(database, timeout=30)) as store:
        return {row[0] for row in store.execute("SELECT event_id FROM usable")}
