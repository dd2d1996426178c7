"""Topics of the embedded broker can be looked at, not administered; the answers say so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tamis.cli.main import main
from tamis.kafka.admin import actual_topics, apply, check_topics, holding_records
from tamis.kafka.embedded import EmbeddedBroker
from tamis.kafka.mend import Change
from tamis.kafka.plan import Kind, wanted_topics
from tamis.settings import KafkaSettings, Settings, SetupError, TopicsSettings, UnreachableError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.embedded

TOPICS = TopicsSettings(raw_partitions=2)


def _topics() -> dict[str, int]:
    return {topic.name: topic.partitions for topic in wanted_topics(Settings(topics=TOPICS))}


def test_a_worker_may_start_with_all_topics_and_not_with_one_wrong_or_missing() -> None:
    topics = _topics() | {"audit.log": 3}
    del topics["alerts"]
    with EmbeddedBroker(_topics()) as broker:
        assert check_topics(Settings(kafka=broker.kafka_settings(), topics=TOPICS)) == []
    with EmbeddedBroker(topics) as broker:
        found = check_topics(Settings(kafka=broker.kafka_settings(), topics=TOPICS))
    assert [(each.topic, each.kind) for each in found] == [("audit.log", Kind.TOO_MANY), ("alerts", Kind.MISSING)]


def test_looking_does_not_make_topics() -> None:
    with EmbeddedBroker({"other": 1}) as broker:
        wanted = wanted_topics(Settings())
        for _ in range(2):
            assert actual_topics(broker.kafka_settings(), wanted) == {}


def test_an_empty_topic_holds_nothing() -> None:
    with EmbeddedBroker({"a": 1}) as broker:
        assert holding_records(broker.kafka_settings(), ["a"]) == frozenset()


def test_making_a_topic_says_that_this_broker_cannot() -> None:
    with EmbeddedBroker() as broker:
        change = Change(topic=wanted_topics(Settings())[0], create=True)
        with pytest.raises(SetupError, match="no topic administration"):
            apply(broker.kafka_settings(), [change])


def test_a_cluster_out_of_reach_is_told_apart() -> None:
    with pytest.raises(UnreachableError, match="does not answer"):
        actual_topics(KafkaSettings(bootstrap="127.0.0.1:1"), [], timeout_s=1)


@pytest.mark.parametrize("valid", [True, False])
def test_the_command_compares_with_the_configured_destinations(
    valid: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with EmbeddedBroker(_topics()) as broker:
        monkeypatch.setenv("TAMIS_KAFKA__BOOTSTRAP", broker.bootstrap)
        monkeypatch.setenv("TAMIS_KAFKA__CHECK_CRCS", "false")
        monkeypatch.setenv("TAMIS_TOPICS__RAW_PARTITIONS", "2")
        monkeypatch.setenv("TAMIS_RULES__FOLDER", "config/reference" if valid else str(tmp_path))
        code = main(["topics", "plan", "--json"])
    captured = capsys.readouterr()
    if not valid:
        assert code == 2
        assert captured.err.startswith("error: rules.folder")
        return
    assert code == 1
    missing = [each["topic"] for each in json.loads(captured.out)["differences"]]
    assert "crm.hubspot" in missing
    assert all(name.startswith("crm.") for name in missing)
