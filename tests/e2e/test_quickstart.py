"""The README's "On your own Kafka", command by command: from an empty cluster to a CRM and a verified audit log."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.support.patience import Deadline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.kafka.cluster import KafkaCluster

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[2]
TAMIS = [sys.executable, "-m", "tamis.cli.main"]


class Host:
    """A host with settings of its own on a shared cluster."""

    def __init__(self, kafka: KafkaCluster, folder: Path) -> None:
        self.prefix = f"quickstart-{uuid4().hex[:8]}."
        self.bootstrap = kafka.bootstrap
        self.log = folder / "run.log"
        self._environ = os.environ | {
            "TAMIS_KAFKA__BOOTSTRAP": kafka.bootstrap,
            "TAMIS_TOPICS__PREFIX": self.prefix,
            "TAMIS_TOPICS__RAW_PARTITIONS": "2",
            "TAMIS_TOPICS__CONSENT_RAW_PARTITIONS": "1",
            "TAMIS_PATHS__STATE_DIR": str(folder / "state"),
        }

    def call(self, *command: str, patience_s: float = 120) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=ROOT, env=self._environ, capture_output=True, text=True, check=False, timeout=patience_s
        )

    def tamis(self, *words: str) -> str:
        done = self.call(*TAMIS, *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self) -> subprocess.Popen[bytes]:
        with self.log.open("wb") as log:
            return subprocess.Popen(
                [*TAMIS, "run", "--workers", "1"], cwd=ROOT, env=self._environ, stdout=log, stderr=log
            )


@pytest.fixture
def host(kafka: KafkaCluster, tmp_path: Path) -> Host:
    found = Host(kafka, tmp_path)
    found.tamis("keys", "init")
    found.tamis("check", "config/reference")
    found.tamis("topics", "apply")
    return found


@pytest.fixture
def running(host: Host) -> Iterator[subprocess.Popen[bytes]]:
    process = host.start()
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()


def leaves(host: Host) -> dict[str, int]:
    """Outcomes in the audit log so far."""
    report = json.loads(host.tamis("audit", "verify", "--json"))
    assert report["verified"] is True
    found: dict[str, int] = {}
    for log in report["logs"]:
        if "/audit.log/" not in log["log"]:
            continue  # decisions about events that had been held
        for outcome, count in log["outcomes"].items():
            found[outcome] = found.get(outcome, 0) + count
    return {outcome: count for outcome, count in found.items() if count}


def test_from_an_empty_cluster_to_a_crm(host: Host, running: subprocess.Popen[bytes], tmp_path: Path) -> None:
    where = ["--bootstrap", host.bootstrap]
    deadline = Deadline(180)
    sent = 0
    # Until the workers are up, consent and event wait in their topics and may be decided in either order: send again.
    while leaves(host).get("accepted", 0) == 0:
        assert running.poll() is None, host.log.read_text()[-3000:]
        deadline.check(host.log.read_text()[-3000:])
        done = host.call(sys.executable, "examples/produce.py", *where, "--prefix", host.prefix)
        assert done.returncode == 0, done.stderr
        sent += 1

    database = str(tmp_path / "crm.sqlite")
    words = [f"{host.prefix}crm.hubspot", *where, "--group", host.prefix, "--database", database, "--idle", "12"]
    read = host.call(sys.executable, "examples/consume_crm.py", *words)
    records = [json.loads(line.split(maxsplit=1)[1]) for line in read.stdout.splitlines()]
    assert records, read.stderr
    for record in records:
        assert record["fields"] == {"plan": "business"}
        assert record["subject"].startswith("v1.hubspot.1.")
        assert "customer-" not in json.dumps(record)
    assert len({record["event_id"] for record in records}) == len(records)

    running.send_signal(signal.SIGTERM)
    assert running.wait(60) == 0, host.log.read_text()[-3000:]
    counts = leaves(host)
    assert sum(counts.values()) == sent
    assert counts["accepted"] <= len(records) <= counts["accepted"] + counts.get("held", 0)
    assert "drained" in host.log.read_text()
