"""The Kafka of docker-compose.yml, with exactly its settings but outside a container, starts and takes our topics."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.support.kafka import cluster as cluster_module
from tests.support.kafka.cluster import KafkaCluster
from tests.support.requirements import require

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.kafka.properties import Node

pytestmark = pytest.mark.kafka
UNREACHABLE = 75
ROOT = Path(__file__).resolve().parents[3]
SERVICE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["kafka"]
NO_PROPERTIES = {"KAFKA_HEAP_OPTS", "KAFKA_OPTS", "KAFKA_LOG4J_OPTS"}  # read by the image's scripts, not by the broker


def properties(environment: dict[str, str]) -> dict[str, str]:
    """Broker properties as the image makes them of variables: KAFKA_A_B is a.b, __ stands for _ and ___ for -."""
    named = {key: value for key, value in environment.items() if key.startswith("KAFKA_") and key not in NO_PROPERTIES}
    dots = {key.removeprefix("KAFKA_").lower().replace("_", "."): value for key, value in named.items()}
    return {key.replace("...", "-").replace("..", "_"): value for key, value in dots.items()}


def on_this_host(node: Node, *_: object, **__: object) -> str:
    """The text of server.properties with the ports and the folder of a test node; nothing else is changed."""
    ports = {"19092": node.sasl_port, "9092": node.port, "9093": node.controller_port}
    found = properties(SERVICE["environment"])
    for key in ("listeners", "advertised.listeners", "controller.quorum.voters"):
        local = re.sub(r"(://|@)(localhost|kafka|127\.0\.0\.1)?:", r"\g<1>127.0.0.1:", found[key])
        found[key] = re.sub(r":(\d+)(?=,|$)", lambda match: f":{ports[match[1]]}", local)
    found["log.dirs"] = str(node.folder / "log")
    return "".join(f"{key}={value}\n" for key, value in found.items())


@pytest.fixture
def compose_kafka(monkeypatch: pytest.MonkeyPatch) -> Iterator[KafkaCluster]:
    require("kafka")
    monkeypatch.setattr(cluster_module, "broker_properties", on_this_host)
    with KafkaCluster(heap_mb=512) as cluster:
        yield cluster


def tamis(cluster: KafkaCluster, *words: str) -> subprocess.CompletedProcess[str]:
    settings = {"TAMIS_KAFKA__BOOTSTRAP": cluster.bootstrap}
    command = [sys.executable, "-m", "tamis.cli.main", *words]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **settings}, capture_output=True, text=True, check=False, timeout=120
    )


def test_topics_are_made_as_compose_makes_them(compose_kafka: KafkaCluster) -> None:
    before = tamis(compose_kafka, "topics", "plan")
    assert before.returncode == 1, before.stdout + before.stderr
    made = tamis(compose_kafka, "topics", "apply")
    assert made.returncode == 0, made.stdout + made.stderr
    after = tamis(compose_kafka, "topics", "plan")
    deadline = time.monotonic() + 60
    while after.returncode == UNREACHABLE and time.monotonic() < deadline:  # leaders of new topics are still elected
        after = tamis(compose_kafka, "topics", "plan")
    assert after.returncode == 0, after.stdout + after.stderr
    assert {"events.raw", "consent.state", "crm.hubspot"} <= set(compose_kafka.admin().list_topics(timeout=10).topics)
