"""The audit topic on a real Kafka: transactions, and what somebody with rights on the cluster can do to it."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from confluent_kafka import Producer

from tamis.cli.main import tamis
from tamis.domain.audit.leaf import HEAD_HEADER
from tamis.domain.audit.report import Check
from tamis.kafka.reader import read_topic
from tamis.services.audit_check import CheckPolicy, verify_records
from tamis.services.sealer_config import LOGS
from tamis.settings import KafkaSettings
from tests.support.audit import sample

if TYPE_CHECKING:
    from pathlib import Path

    from tamis.domain.audit.report import LogReport
    from tests.support.audit import Record
    from tests.support.kafka.cluster import KafkaCluster

pytestmark = pytest.mark.kafka


class AuditTopic:
    """A prefixed ``audit.log`` of its own, two partitions, each holding ``sample``, one transaction a head."""

    def __init__(self, kafka: KafkaCluster) -> None:
        self.kafka = kafka
        self.prefix = f"a{uuid.uuid4().hex[:8]}."
        self.name = f"{self.prefix}audit.log"
        kafka.create_topics({self.prefix + log: 2 for log in LOGS})
        for partition in (0, 1):
            self.append(partition, sample(partition))

    def append(self, partition: int, records: list[Record], *, commit: bool = True) -> None:
        """Write records, a transaction ends at each head."""
        producer = Producer({"bootstrap.servers": self.kafka.bootstrap, "transactional.id": uuid.uuid4().hex})
        producer.init_transactions(30)
        producer.begin_transaction()
        for is_head, value in records:
            producer.produce(self.name, value, partition=partition, headers=[HEAD_HEADER] if is_head else [])
            if is_head and commit:
                producer.commit_transaction(30)
                producer.begin_transaction()
        producer.flush(30)
        if commit:
            producer.commit_transaction(30)
        else:
            producer.abort_transaction(30)

    def verify(self, *, partial: bool = False) -> list[LogReport]:
        """Check the topic as it is."""
        records = read_topic(KafkaSettings(bootstrap=self.kafka.bootstrap), self.name)
        return verify_records(records, CheckPolicy(partial=partial))

    def invoke(self, *words: str) -> tuple[int, str]:
        """``tamis audit ...`` against this topic: exit code and output."""
        variables = {"TAMIS_KAFKA__BOOTSTRAP": self.kafka.bootstrap, "TAMIS_TOPICS__PREFIX": self.prefix}
        result = CliRunner().invoke(tamis, ["audit", *words], env=variables)
        return result.exit_code, result.output


@pytest.fixture
def topic(kafka: KafkaCluster) -> AuditTopic:
    return AuditTopic(kafka)


def _checks(reports: list[LogReport]) -> list[Check | None]:
    return [report.failure.check if report.failure else None for report in reports]


def test_committed_logs_pass_and_aborted_leaves_are_nobodys(topic: AuditTopic) -> None:
    topic.append(1, sample(1), commit=False)
    reports = topic.verify()
    assert _checks(reports) == [None, None]
    assert [report.verified for report in reports] == [27, 27]


def test_topic_and_export_give_the_same_answer_on_the_command_line(topic: AuditTopic, tmp_path: Path) -> None:
    folder = str(tmp_path / "export")
    assert topic.invoke("export", "--to", folder)[0] == 0
    straight, exported = topic.invoke("verify", "--json"), topic.invoke("verify", folder, "--json")
    assert straight == exported
    answer = json.loads(straight[1])
    assert (straight[0], answer["verified"], answer["leaves"]) == (0, True, 54)


def test_a_rogue_producer_is_found(topic: AuditTopic) -> None:
    topic.append(0, [sample()[0]])
    assert _checks(topic.verify()) == [Check.SEQUENCE, None]
    assert topic.invoke("verify")[0] == 1


def test_a_replayed_transaction_is_found(topic: AuditTopic) -> None:
    topic.append(1, sample(1)[-10:])
    assert _checks(topic.verify()) == [None, Check.SEQUENCE]


def test_another_partitions_log_is_found(topic: AuditTopic, kafka: KafkaCluster) -> None:
    kafka.delete_topics(topic.name)
    topic.name = f"{topic.prefix}again.audit.log"
    kafka.create_topics({topic.name: 2})
    topic.append(0, sample(1))
    topic.append(1, sample(0))
    assert _checks(topic.verify()) == [Check.SOURCE, Check.SOURCE]


def test_deleted_records_are_found_and_the_rest_can_still_be_checked(topic: AuditTopic, kafka: KafkaCluster) -> None:
    kafka.delete_records(topic.name, {0: 3})
    assert _checks(topic.verify()) == [Check.BEGINNING, None]
    first, second = topic.verify(partial=True)
    assert (first.ok, first.begins, first.verified) == (True, 3, 21)
    assert (second.ok, second.begins, second.verified) == (True, 0, 27)
