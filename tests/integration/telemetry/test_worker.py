"""What a real worker and a real replica show: counters equal to the topics, fresh consent, nobody's words.

The processes run under ``tamis run``, as on a host; the series are read from the endpoints Prometheus would scrape.
"""

from __future__ import annotations

import json
import socket
import time
import urllib.error
import urllib.request
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tamis.domain.audit.evidence_check import HASH_CHARS
from tamis.domain.audit.leaf import HEAD_HEADER, decode_head
from tamis.kafka.loading import Outgoing
from tamis.records.topics import Topic
from tests.support.kafka.cluster import free_ports
from tests.support.patience import Deadline
from tests.support.process import Process
from tests.support.prometheus import prometheus
from tests.support.requirements import require
from tests.support.system import System, now_ms
from tests.support.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.kafka.cluster import KafkaCluster

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

PARTITIONS = 4
RECORDS = 400

Samples = list[tuple[str, dict[str, str], float]]


class Watched:
    """A system under ``tamis run``, and its endpoints."""

    def __init__(self, system: System, supervisor: Process, port: int) -> None:
        self.system, self.supervisor = system, supervisor
        self.replica, self.worker = port, port + 1

    def samples(self, port: int) -> Samples:
        """Everything a process shows now; nothing while it does not listen."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                text = answer.read().decode()
        except urllib.error.URLError:
            return []
        return [(s.name, s.labels, s.value) for family in text_string_to_metric_families(text) for s in family.samples]

    def total(self, port: int, name: str, **labels: str) -> float:
        """Sum over the samples with these labels."""
        return sum(v for n, has, v in self.samples(port) if n == name and labels.items() <= has.items())


def _two_ports() -> int:
    """A free port whose next one is free as well."""
    for port in free_ports(50):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
    raise RuntimeError("no two free ports in a row")


@pytest.fixture(scope="module")
def watched(kafka: KafkaCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    port = _two_ports()
    options = {"telemetry.port": port, "telemetry.log_format": "json"}
    with System(kafka, tmp_path_factory.mktemp("telemetry"), options, raw_partitions=PARTITIONS) as system:
        supervisor = system.start("run", "--workers", "1")
        traffic = Traffic(people=12, at_ms=now_ms())
        system.load(Topic.CONSENT_RAW, list(traffic.statements(4)))
        system.wait_for_consent()
        values = [value for value, _ in traffic.events(RECORDS)]
        system.load(Topic.EVENTS_RAW, (Outgoing(n % PARTITIONS, None, value) for n, value in enumerate(values)))
        system.wait_for_intake()
        yield Watched(system, supervisor, port)


def test_counters_equal_what_is_in_the_topics(watched: Watched) -> None:
    system, worker = watched.system, watched.worker
    leaves = len(system.leaves())
    outcomes: dict[str, int] = {}
    for leaf in system.leaves().values():
        outcomes[leaf["out"]] = outcomes.get(leaf["out"], 0) + 1
    system.wait_until(lambda: watched.total(worker, "tamis_audit_leaves_total") == leaves, "all leaves to be counted")
    assert leaves >= RECORDS
    for outcome, n in outcomes.items():
        assert watched.total(worker, "tamis_events_total", outcome=outcome) == n
    assert watched.total(worker, "tamis_events_total") == leaves
    assert watched.total(worker, "tamis_ledger_residual_events") == 0
    assert watched.total(worker, "tamis_records_total", topic="events.raw") == RECORDS
    quarantined = len(system.values(Topic.EVENTS_QUARANTINE))
    assert watched.total(worker, "tamis_quarantined_total") == quarantined
    strange = [
        (name, labels) for name, labels, n in watched.samples(worker)
        if name.startswith("tamis_") and n and "other" in labels.values() and labels.get("site") != "other"
    ]  # fmt: skip
    assert strange == []


def test_heads_leaves_windows_and_a_real_prometheus_say_the_same(watched: Watched, tmp_path: Path) -> None:
    """By partition and outcome: the ledger in the heads is that of the leaves, of the windows and of the series."""
    require("prometheus")
    system = watched.system
    leaves = Counter((place[0], leaf["out"]) for place, leaf in system.leaves().items())
    heads = Counter[tuple[int, str]]()
    for record in system.read(Topic.AUDIT_LOG):
        if HEAD_HEADER in record.headers:
            counts = decode_head(record.value or b"").counts
            heads.update({(record.partition, outcome): n for outcome, n in counts.items() if n})
    assert heads == leaves
    outcomes = Counter[str]()
    for (_, outcome), n in leaves.items():
        outcomes[outcome] += n
    system.wait_for_counts()
    found = system.read_back()
    assert found.sound()
    assert found.window_sum + found.open_sum == outcomes
    deadline = Deadline(60)
    with prometheus(tmp_path, {"replica": watched.replica, "worker": watched.worker}) as server:
        shown = Counter[str]()
        while shown != outcomes:
            deadline.check(f"a Prometheus to show {dict(outcomes)}; it shows {dict(shown)}")
            time.sleep(0.5)
            answer = server.query("sum by (outcome) (tamis_events_total) > 0")
            shown = Counter({each["metric"]["outcome"]: int(each["value"][1]) for each in answer})
        (total,) = server.query("sum(tamis_audit_leaves_total)")
        assert int(total["value"][1]) == outcomes.total()


def test_consent_is_seen_to_be_fresh(watched: Watched) -> None:
    system, worker, replica = watched.system, watched.worker, watched.replica
    bound = system.settings.consent.max_age_s
    assert watched.total(worker, "tamis_consent_age_bound_seconds") == bound
    system.wait_until(lambda: watched.total(worker, "tamis_consent_age_seconds") < bound, "the age to be sampled")
    assert watched.total(replica, "tamis_replica_age_seconds") < bound
    assert watched.total(replica, "tamis_replica_behind_records") == 0
    assert watched.total(replica, "tamis_replica_applied_total") > 0
    assert watched.total(worker, "tamis_subject_records_total") > 0
    assert watched.total(worker, "tamis_gate_closed") == 0


def test_the_edge_tells_of_its_partitions(watched: Watched) -> None:
    worker = watched.worker
    assert watched.total(worker, "tamis_partitions", topic="events.raw") == PARTITIONS
    assert watched.total(worker, "tamis_batch_seconds_count", role="intake") > 0
    assert watched.total(worker, "tamis_transaction_seconds_sum", role="consent") > 0
    watched.system.wait_until(lambda: watched.total(worker, "tamis_lag_records", role="intake") == 0, "no lag")
    watched.system.wait_until(lambda: watched.total(worker, "tamis_watermark_lag_seconds") > 0, "watermarks")


def test_who_runs_what(watched: Watched) -> None:
    about = {port: [labels for name, labels, _ in watched.samples(port) if name == "tamis_worker_info"]
             for port in (watched.worker, watched.replica)}  # fmt: skip
    assert about[watched.replica][0]["roles"] == "replica"
    assert "intake" in about[watched.worker][0]["roles"].split("+")
    assert len(about[watched.worker][0]["bundle"]) == HASH_CHARS


def test_logs_are_json_and_hold_nobodys_words(watched: Watched) -> None:
    text = watched.supervisor.said()
    refused = "replica | error: "  # why a process did not start is text; the supervisor starts it again
    lines = [line for line in text.splitlines() if not line.startswith(refused)]
    entries: list[dict[str, Any]] = [json.loads(line) for line in lines]
    assert {"supervisor", "replica", "worker-1"} <= {entry["process"] for entry in entries}
    said = [entry["event"] for entry in entries if entry["process"] == "worker-1"]
    assert "worker ready" in said
    assert "gate opened" in said
    assert not [line for line in text.splitlines() if "example.test" in line]
