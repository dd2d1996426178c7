"""``tamis topics`` on a real Kafka: made, checked, mended, grown, never shrunk."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from tamis.cli.main import main
from tamis.kafka.admin import actual_topics, check_topics
from tamis.kafka.clients import confluent_config
from tamis.kafka.plan import wanted_topics
from tamis.settings import KafkaSettings, Settings, TopicsSettings
from tests.support.patience import Deadline

if TYPE_CHECKING:
    from tests.support.kafka.cluster import KafkaCluster

pytestmark = pytest.mark.kafka


class _Commands:
    """``tamis topics`` with settings of its own prefix."""

    def __init__(
        self, kafka: KafkaCluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.prefix = f"{uuid.uuid4().hex[:8]}."
        self.kafka, self._capsys, self._monkeypatch = kafka, capsys, monkeypatch
        monkeypatch.setenv("TAMIS_KAFKA__BOOTSTRAP", kafka.bootstrap)
        monkeypatch.setenv("TAMIS_TOPICS__PREFIX", self.prefix)
        self.partitions(2)

    def partitions(self, count: int) -> None:
        self._monkeypatch.setenv("TAMIS_TOPICS__RAW_PARTITIONS", str(count))
        self.settings = Settings(
            kafka=KafkaSettings(bootstrap=self.kafka.bootstrap),
            topics=TopicsSettings(prefix=self.prefix, raw_partitions=count),
        )

    def __call__(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        code = main(["topics", *arguments, "--json"])
        captured = self._capsys.readouterr()
        assert captured.err == ""
        return code, json.loads(captured.out)

    def counts(self) -> dict[str, int]:
        actual = actual_topics(self.settings.kafka, wanted_topics(self.settings))
        return {name.removeprefix(self.prefix): topic.partitions for name, topic in actual.items()}


@pytest.fixture
def topics(kafka: KafkaCluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> _Commands:
    return _Commands(kafka, monkeypatch, capsys)


def test_missing_topics_are_planned_made_and_then_as_they_must_be(topics: _Commands) -> None:
    code, answer = topics("plan")
    assert code == 1
    assert len(answer["differences"]) == answer["topics"]
    assert [each.kind for each in check_topics(topics.settings)] == ["missing"] * len(wanted_topics(topics.settings))
    code, answer = topics("apply")
    assert code == 0
    assert len(answer["applied"]) == answer["topics"]
    assert topics("plan") == (0, {"topics": answer["topics"], "differences": []})
    assert check_topics(topics.settings) == []
    actual = actual_topics(topics.settings.kafka, wanted_topics(topics.settings))
    raw = actual[f"{topics.prefix}events.raw"]
    assert raw.config is not None
    assert raw.config["message.timestamp.type"] == "LogAppendTime"
    assert raw.config["max.message.bytes"] == str(16 << 20)


def test_configs_that_drifted_are_found_and_set_back(topics: _Commands) -> None:
    topics("apply")
    name = f"{topics.prefix}consent.state"
    entry = ConfigEntry("cleanup.policy", "delete", incremental_operation=AlterConfigOpType.SET)
    admin = topics.kafka.admin()
    for future in admin.incremental_alter_configs(
        [ConfigResource(ResourceType.TOPIC, name, incremental_configs=[entry])]
    ).values():
        future.result(30)
    deadline = Deadline(30)
    while not check_topics(topics.settings):
        deadline.check()
    code, answer = topics("plan")
    assert code == 1
    (difference,) = answer["differences"]
    assert (difference["topic"], difference["config"], difference["actual"]) == (name, "cleanup.policy", "delete")
    assert [each.topic for each in check_topics(topics.settings)] == [name]
    assert topics("apply")[0] == 0
    assert topics("plan")[0] == 0


def test_partitions_grow_only_on_request_and_only_without_state(topics: _Commands) -> None:
    topics("apply")
    before = topics.counts()
    topics.partitions(3)
    code, answer = topics("apply")
    assert code == 1
    assert answer["applied"] == []
    assert topics.counts() == before
    assert topics("apply", "--allow-growth")[0] == 0
    assert topics.counts() == {
        name: 3 if count == 2 and name[:8] != "metrics." else count for name, count in before.items()
    }
    producer = Producer(confluent_config(topics.settings.kafka))
    producer.produce(f"{topics.prefix}consent.state", key=b"k", value=b"v")
    assert producer.flush(30) == 0
    topics.partitions(4)
    code, answer = topics("apply", "--allow-growth")
    assert code == 1
    assert answer["applied"] == []
    assert all("consent.state" in refusal["why"] for refusal in answer["refused"])


def test_partitions_are_never_taken_away(topics: _Commands) -> None:
    topics("apply")
    topics.partitions(1)
    code, answer = topics("apply", "--allow-growth")
    assert code == 1
    assert answer["applied"] == []
    assert topics.counts()["events.raw"] == 2
