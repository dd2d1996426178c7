"""Connection settings in each library's words; the password is where it must be and nowhere else."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest

from tamis.kafka.clients import (
    aiokafka_consumer_options,
    aiokafka_options,
    confluent_config,
    faust_broker_urls,
    password,
)
from tamis.settings import KafkaSettings, Secret, SetupError

if TYPE_CHECKING:
    from pathlib import Path

SASL = KafkaSettings(bootstrap="a:1,b:2", security="sasl_ssl", username="u", password=Secret("pa55word"))


def test_plaintext_carries_no_credentials() -> None:
    config = confluent_config(KafkaSettings())
    assert config["security.protocol"] == "PLAINTEXT"
    assert not any(name.startswith(("sasl", "ssl")) for name in config)
    assert not any(name.startswith(("sasl", "ssl")) for name in aiokafka_options(KafkaSettings()))


def test_sasl_for_librdkafka() -> None:
    config = confluent_config(SASL)
    assert config["security.protocol"] == "SASL_SSL"
    assert (config["sasl.mechanism"], config["sasl.username"], config["sasl.password"]) == (
        "SCRAM-SHA-512",
        "u",
        "pa55word",
    )


def test_sasl_for_aiokafka_checks_certificate_and_host_name() -> None:
    options = aiokafka_options(SASL)
    assert options["security_protocol"] == "SASL_SSL"
    assert options["sasl_plain_password"] == "pa55word"
    assert options["ssl_context"].verify_mode == ssl.CERT_REQUIRED
    assert options["ssl_context"].check_hostname is True


def test_checksums_are_checked_unless_switched_off() -> None:
    assert aiokafka_consumer_options(KafkaSettings())["check_crcs"] is True
    assert confluent_config(KafkaSettings(check_crcs=False))["check.crcs"] is False


def test_faust_urls_name_every_broker() -> None:
    assert faust_broker_urls(SASL, "batchkafka") == "batchkafka://a:1;batchkafka://b:2"


def test_password_from_a_file_loses_its_line_end_only(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text(" pa55 word \n")
    assert password(KafkaSettings(password_file=str(path))) == " pa55 word "


@pytest.mark.parametrize(("content", "word"), [(None, "No such file"), (b"", "empty"), (b"\xff\xfe", "not UTF-8")])
def test_an_unusable_password_file_is_named(tmp_path: Path, content: bytes | None, word: str) -> None:
    path = tmp_path / "password"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SetupError, match=word) as caught:
        password(KafkaSettings(password_file=str(path)))
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(("content", "word"), [(None, "No such file"), ("not a certificate", "not a PEM")])
def test_an_unusable_authority_file_is_named(tmp_path: Path, content: str | None, word: str) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    for use in (confluent_config, aiokafka_options):
        with pytest.raises(SetupError, match=word):
            use(KafkaSettings(security="ssl", ca_file=str(path)))
