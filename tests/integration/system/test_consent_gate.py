"""Consent that stands still stops intake within its bound, whichever part failed, and intake goes on by itself."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import pytest

from tamis.records.topics import Topic
from tests.support.process import Process
from tests.support.system import System, now_ms
from tests.support.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.kafka.cluster import KafkaCluster

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

MAX_AGE_S = 6.0
QUIET_S = 3.0


@pytest.fixture(scope="module")
def system(kafka: KafkaCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    options: dict[str, object] = {"consent.max_age_s": MAX_AGE_S}
    with System(kafka, tmp_path_factory.mktemp("gate"), options, raw_partitions=4) as system:
        yield system


@pytest.fixture(scope="module")
def parts(system: System) -> dict[str, Process]:
    """The running parts; a test that kills one starts it again."""
    traffic = Traffic(people=10, at_ms=now_ms())
    system.load(Topic.CONSENT_RAW, traffic.statements(4))
    started = {role: system.start("worker", "--role", role) for role in ("consent", "intake", "metrics")}
    started["replica"] = system.start("replica")
    system.wait_for_consent()
    return started


def decided_until(system: System) -> int:
    """When the youngest event that is decided was received, ms."""
    with contextlib.closing(system.progress()) as progress:
        committed = progress.committed() or []
    return max(
        (record.timestamp for record in system.read(Topic.EVENTS_RAW) if record.offset < committed[record.partition]),
        default=0,
    )


@pytest.mark.parametrize("part", ["consent", "replica"])
def test_intake_stops_within_the_bound_and_resumes_by_itself(
    system: System, parts: dict[str, Process], part: str
) -> None:
    traffic = Traffic(people=10, at_ms=now_ms(), seed=len(part))

    def some() -> list[bytes]:
        return [value for value, _ in traffic.events(40)]

    system.send(some())
    system.wait_for_intake()
    parts[part].kill()
    killed = now_ms()
    while now_ms() < killed + (MAX_AGE_S + 1) * 1000:
        system.send(some())
        time.sleep(0.2)
    with contextlib.closing(system.progress()) as progress:
        still = [progress.committed()]
        system.wait_until(lambda: _same(still, progress.committed()), "intake to stand still", 30)
    system.send(some())
    time.sleep(QUIET_S)
    assert decided_until(system) <= killed + MAX_AGE_S * 1000, "nothing was decided on consent older than the bound"
    with contextlib.closing(system.progress()) as progress:
        assert progress.committed() == still[0], "intake waits"
    assert parts["intake"].exit_code() is None, "waiting is no fault"
    parts[part] = system.start(*parts[part].name.split(" "))
    system.wait_for_intake()
    system.wait_for_counts()
    found = system.read_back()
    assert found.sound(), found
    assert parts["intake"].exit_code() is None


def _same(last: list[list[int] | None], now: list[int] | None) -> bool:
    """Whether the committed offsets did not move since the last look; a short rest between two looks."""
    same = now is not None and last[0] == now
    last[0] = now
    time.sleep(0.5)
    return same
