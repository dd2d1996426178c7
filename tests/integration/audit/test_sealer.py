"""The sealer on a real Kafka: it signs what is committed and attested, once, and remembers what it signed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tamis.domain.audit.checkpoint import open_checkpoint
from tamis.kafka.reader import read_topic
from tamis.records.topics import Topic
from tamis.settings import KafkaSettings
from tests.support.sealing import Installation, state_of, until_quiet

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.kafka.cluster import KafkaCluster

pytestmark = pytest.mark.kafka


@pytest.fixture
def installation(kafka: KafkaCluster, tmp_path: Path) -> Installation:
    return Installation(kafka, tmp_path / "sealer")


def test_committed_attested_batches_are_sealed_and_published(installation: Installation) -> None:
    installation.register()
    for events in ([1, 2, 1], [1] * 300):
        installation.batch(0, events)
    installation.batch(1, [1] * 5, lost=(0, 3))
    sealer = installation.sealer()
    until_quiet(sealer)
    assert (state_of(sealer, 0), state_of(sealer, 1)) == ((304, ""), (6, ""))
    sealer.close()
    kafka = KafkaSettings(bootstrap=installation.kafka.bootstrap)
    for record in read_topic(kafka, installation.topic(Topic.AUDIT_CHECKPOINTS)):
        origin = (record.key or b"").decode()
        assert open_checkpoint(record.value or b"", installation.keys.vkeys(origin))[0].origin == origin
