"""Settings: defaults, bounds and secrets that do not show themselves."""

from __future__ import annotations

import pickle

import msgspec
import orjson
import pytest

from tamis.settings import KafkaSettings, Secret, Settings


def test_defaults_bind_to_loopback_and_are_exactly_once() -> None:
    settings = Settings()
    assert settings.kafka.bootstrap == "127.0.0.1:9092"
    assert settings.telemetry.host == "127.0.0.1"
    assert settings.telemetry.port == 0
    assert settings.worker.guarantee == "exactly_once"
    assert settings.limits.max_record_bytes == 256 * 1024


def test_places_default_into_the_state_folder() -> None:
    settings = Settings()
    assert settings.keys_path() == ".tamis/keys.json"
    assert settings.replica_path() == ".tamis/replica"


def test_a_secret_is_redacted_wherever_it_is_printed() -> None:
    secret = Secret("pa55word")
    settings = Settings(kafka=KafkaSettings(password=secret))
    shown = f"{secret} {secret!r} {secret!s:>20} {settings} {settings!r} {[secret]}"
    assert "pa55word" not in shown
    assert "[redacted]" in shown
    assert secret.reveal() == "pa55word"


def test_a_secret_is_not_serialised() -> None:
    secret = Secret("pa55word")
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        msgspec.json.encode(secret)
    with pytest.raises(TypeError):
        orjson.dumps(secret)


def test_secrets_compare_by_content_and_are_not_hashable() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert not Secret("")
    with pytest.raises(TypeError):
        hash(Secret("a"))
