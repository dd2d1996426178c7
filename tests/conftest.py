"""Fixtures for all tests: the real Kafka clusters, started at most once a session and only when a test asks."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.support.kafka.cluster import KafkaCluster
from tests.support.requirements import require

if TYPE_CHECKING:
    from collections.abc import Iterator

# A busy machine is slow, not wrong: no timed assertion, and no complaint about slow generation.
settings.register_profile("tamis", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tamis")


def pytest_configure() -> None:
    """Asked to end, a run puts its brokers and workers away as at Ctrl-C; also one in the background of a shell."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


@pytest.fixture(scope="session")
def kafka() -> Iterator[KafkaCluster]:
    """One Kafka node, shared by the session: tests use topics of their own and never stop it."""
    require("kafka")
    with KafkaCluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def kafka3() -> Iterator[KafkaCluster]:
    """Three Kafka nodes; a test that kills one restarts it."""
    require("kafka")
    with KafkaCluster(nodes=3, heap_mb=384) as cluster:
        yield cluster
