"""The two example programs, run as their pages say, against a real Kafka."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, Producer

from tamis.bundles.load import load_bundle
from tamis.domain.bundle import Bundle
from tamis.services.dry_run import DryRun

if TYPE_CHECKING:
    from tests.support.kafka.cluster import KafkaCluster

pytestmark = pytest.mark.kafka
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def prefix(kafka: KafkaCluster) -> str:
    name = f"examples-{uuid4().hex[:8]}."
    kafka.create_topics({f"{name}events.raw": 2, f"{name}consent.raw": 1, f"{name}crm.hubspot": 2})
    return name


def run(program: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "examples" / program), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=90)


def read_one(kafka: KafkaCluster, topic: str) -> bytes:
    consumer = Consumer(
        {"bootstrap.servers": kafka.bootstrap, "group.id": uuid4().hex, "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([topic])
    try:
        message = consumer.poll(60)
        assert message is not None
        assert message.error() is None
        return message.value() or b""
    finally:
        consumer.close()


def test_what_the_producer_sends_is_accepted(kafka: KafkaCluster, prefix: str) -> None:
    done = run("produce.py", "--bootstrap", kafka.bootstrap, "--prefix", prefix, "--pause", "0")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2
    consent = read_one(kafka, f"{prefix}consent.raw")
    event = read_one(kafka, f"{prefix}events.raw")

    bundle = load_bundle(ROOT / "config/reference")
    assert isinstance(bundle, Bundle)
    dry = DryRun(bundle, now=read_time(event))
    assert list(dry.consent([consent])) == []
    (explained,) = dry.events([event])
    assert (explained.outcome, explained.rule) == ("accepted", "quote_started#1")
    assert explained.fields["hubspot"] == {"plan": "business"}


def read_time(event: bytes) -> int:
    return int(datetime.fromisoformat(json.loads(event)["timestamp"]).timestamp() * 1000) + 1000


def test_the_consumer_stores_each_event_once(kafka: KafkaCluster, prefix: str, tmp_path: Path) -> None:
    topic = f"{prefix}crm.hubspot"
    send_committed_and_aborted(kafka, topic)
    database = tmp_path / "events.sqlite"
    words = [topic, "--bootstrap", kafka.bootstrap, "--group", prefix, "--database", str(database), "--idle", "12"]
    done = run("consume_crm.py", *words)
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["new", "new", "again"]
    assert "aborted" not in done.stdout
    again = run("consume_crm.py", *words[:-1], "5")
    assert again.stdout == ""  # its offsets were committed


def send_committed_and_aborted(kafka: KafkaCluster, topic: str) -> None:
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": uuid4().hex})
    producer.init_transactions(60)
    for ids, keep in ((("a", "b", "a"), True), (("aborted",), False)):
        producer.begin_transaction()
        for event_id in ids:
            value = json.dumps({"event_id": event_id, "subject": "v1.hubspot.1.x", "name": "Quote Started"})
            producer.produce(topic, value, key="v1.hubspot.1.x", partition=0)
        if keep:
            producer.commit_transaction(60)
        else:
            producer.flush(60)
            producer.abort_transaction(60)
