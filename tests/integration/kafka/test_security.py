"""SASL_SSL with SCRAM from settings on a real Kafka: both client libraries, right and wrong password and authority."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError

from tamis.kafka.admin import actual_topics
from tamis.kafka.clients import aiokafka_consumer_options, aiokafka_options
from tamis.kafka.reader import read_topic
from tamis.settings import KafkaSettings, UnreachableError
from tests.support.kafka.cluster import KafkaCluster
from tests.support.requirements import require

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.kafka


@pytest.fixture(scope="module")
def cluster() -> Iterator[KafkaCluster]:
    require("kafka")
    with KafkaCluster(sasl=True, heap_mb=384) as cluster:
        cluster.create_topics({"t": 1})
        yield cluster


@pytest.fixture
def settings(cluster: KafkaCluster, tmp_path: Path) -> KafkaSettings:
    assert cluster.sasl is not None
    password = tmp_path / "password"
    password.write_text(cluster.sasl.password + "\n")
    return KafkaSettings(
        bootstrap=cluster.bootstrap_sasl,
        security="sasl_ssl",
        username=cluster.sasl.username,
        password_file=str(password),
        ca_file=str(cluster.sasl.ca),
    )


async def _send_and_read(settings: KafkaSettings) -> bytes | None:
    producer = AIOKafkaProducer(**aiokafka_options(settings), transactional_id="secured")
    await producer.start()
    async with producer.transaction():
        await producer.send_and_wait("t", b"over tls")
    await producer.stop()
    consumer = AIOKafkaConsumer("t", **aiokafka_consumer_options(settings), auto_offset_reset="earliest")
    await consumer.start()
    record = await asyncio.wait_for(consumer.getone(), 30)
    await consumer.stop()
    value: bytes | None = record.value
    return value


def test_both_libraries_speak_scram_over_tls(settings: KafkaSettings) -> None:
    assert asyncio.run(_send_and_read(settings)) == b"over tls"
    assert [record.value for record in read_topic(settings, "t")] == [b"over tls"]


def test_a_wrong_password_is_refused_and_not_shown(settings: KafkaSettings, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("not-the-password")
    refused = msgspec.structs.replace(settings, password_file=str(wrong))
    with pytest.raises(UnreachableError) as caught:
        actual_topics(refused, [], timeout_s=5)
    assert "not-the-password" not in str(caught.value)
    with pytest.raises(KafkaError):
        asyncio.run(_start_and_stop(refused))


def test_an_authority_that_did_not_sign_the_broker_is_refused(settings: KafkaSettings) -> None:
    stranger = msgspec.structs.replace(settings, ca_file="")
    with pytest.raises(UnreachableError):
        actual_topics(stranger, [], timeout_s=5)
    with pytest.raises(KafkaError):
        asyncio.run(_start_and_stop(stranger))


async def _start_and_stop(settings: KafkaSettings) -> None:
    producer = AIOKafkaProducer(**aiokafka_options(settings))
    try:
        await producer.start()
    finally:
        await producer.stop()
