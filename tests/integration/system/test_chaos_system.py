"""A whole system under faults, in short: nothing missing, nothing twice; the long version is `make chaos`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.storm import Storm, weather

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.kafka.cluster import KafkaCluster

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(480)]


def test_workers_killed_frozen_joining_and_leaving(kafka: KafkaCluster, tmp_path: Path) -> None:
    after = weather(kafka, tmp_path, Storm(events=30_000, faults="kz+g-"))
    print(after)
    after.report.check_finished(tmp_path / "workers.log")
    assert not after.problems()
    assert len(after.report.faults) == 5


def test_the_brokers_that_coordinate_killed_and_started_again(kafka3: KafkaCluster, tmp_path: Path) -> None:
    after = weather(kafka3, tmp_path, Storm(events=20_000, faults="kCT", seed=3))
    print(after)
    after.report.check_finished(tmp_path / "workers.log")
    assert not after.problems()
    assert after.report.faults == ["k", "C", "T"]
