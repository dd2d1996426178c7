"""Loading settings: the order of sources, every problem at once, where each one is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tamis.settings import Settings
from tamis.settings_loader import SettingsError, load_settings

if TYPE_CHECKING:
    from pathlib import Path


def _problems(file: Path | None, environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_settings(str(file) if file else None, environ)
    return [str(problem) for problem in caught.value.problems]


def _file(tmp_path: Path, text: str, mode: int = 0o600) -> Path:
    path = tmp_path / "tamis.toml"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_without_sources_all_is_default() -> None:
    loaded = load_settings(environ={})
    assert loaded.settings == Settings()
    assert loaded.origins == {}


def test_file_beats_default_and_environment_beats_file(tmp_path: Path) -> None:
    path = _file(tmp_path, '[kafka]\nbootstrap = "a:1"\n[topics]\nprefix = "x."\n')
    loaded = load_settings(str(path), {"TAMIS_KAFKA__BOOTSTRAP": "b:2"})
    assert loaded.settings.kafka.bootstrap == "b:2"
    assert loaded.settings.topics.prefix == "x."
    assert loaded.origins == {"kafka.bootstrap": "variable TAMIS_KAFKA__BOOTSTRAP", "topics.prefix": f"{path}:4"}


def test_the_variable_tamis_settings_names_the_file(tmp_path: Path) -> None:
    path = _file(tmp_path, "worker.processes = 3\n")
    assert load_settings(environ={"TAMIS_SETTINGS": str(path)}).settings.worker.processes == 3


def test_environment_text_becomes_numbers_and_switches() -> None:
    loaded = load_settings(environ={"TAMIS_TOPICS__RAW_PARTITIONS": "16", "TAMIS_KEYS__INSECURE_DEV": "true"})
    assert loaded.settings.topics.raw_partitions == 16
    assert loaded.settings.keys.insecure_dev is True


def test_all_problems_are_reported_with_their_places(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        '[kafka]\nbootstarp = "a:1"\n\n[worker]\nguarantee = "once"\nmax_batch_records = "many"\n[wroker]\nx = 1\n',
    )
    problems = _problems(path, {"TAMIS_TOPICS__METRICS_PARTITIONS": "5", "TAMIS_CONSENT__MAX_AGE": "1"})
    assert f"{path}:2: no setting kafka.bootstarp; did you mean kafka.bootstrap?" in problems
    assert f"{path}:5: worker.guarantee: must be one of exactly_once, at_least_once" in problems
    assert f"{path}:6: worker.max_batch_records: expected `int`, got `str`" in problems
    assert any(problem.startswith(f"{path}:8: no setting wroker.x") for problem in problems)
    assert "variable TAMIS_TOPICS__METRICS_PARTITIONS: topics.metrics_partitions: expected `int` <= 4" in problems
    assert any("did you mean TAMIS_CONSENT__MAX_AGE_S?" in problem for problem in problems)
    assert len(problems) == 6


def test_one_underscore_instead_of_two_is_noticed_and_strangers_are_not() -> None:
    environ = {"TAMIS_KAFKA_BOOTSTRAP": "a:1", "TAMIS_PORT_9092_TCP": "tcp://x", "TAMIS_REQUIRE": "kafka"}
    assert _problems(None, environ) == [
        "variable TAMIS_KAFKA_BOOTSTRAP: no setting TAMIS_KAFKA_BOOTSTRAP; did you mean TAMIS_KAFKA__BOOTSTRAP?"
    ]


@pytest.mark.parametrize("value", ["nan", "inf", "-1", "0", ""])
def test_seconds_are_positive_and_finite(value: str) -> None:
    assert len(_problems(None, {"TAMIS_CONSENT__MAX_AGE_S": value})) == 1


def test_a_missing_file_and_a_file_that_is_not_toml_are_problems(tmp_path: Path) -> None:
    assert _problems(tmp_path / "none.toml", {}) == [f"{tmp_path / 'none.toml'}: No such file or directory"]
    path = _file(tmp_path, "[kafka\n")
    assert "line 1" in _problems(path, {})[0]


def test_a_section_that_is_no_table_is_a_problem(tmp_path: Path) -> None:
    assert _problems(_file(tmp_path, "kafka = 3\n"), {})[0].endswith(":1: kafka is a section: write [kafka]")


def test_secrets_in_a_file_others_may_read_are_refused(tmp_path: Path) -> None:
    text = '[kafka]\nsecurity = "sasl_ssl"\nusername = "u"\npassword = "pa55word"\n'
    assert load_settings(str(_file(tmp_path, text)), {}).settings.kafka.password.reveal() == "pa55word"
    problems = _problems(_file(tmp_path, text, 0o644), {})
    assert len(problems) == 1
    assert ":4: kafka.password is a secret, but others may read this file" in problems[0]
    assert "pa55word" not in problems[0]


def test_a_secret_of_the_wrong_type_is_named_but_not_shown(tmp_path: Path) -> None:
    (problem,) = _problems(_file(tmp_path, "[kafka]\npassword = 55512345\n"), {})
    assert "kafka.password" in problem
    assert "55512345" not in problem


@pytest.mark.parametrize(
    ("environ", "field"),
    [
        ({"TAMIS_KAFKA__USERNAME": "u"}, "kafka.username"),
        ({"TAMIS_KAFKA__SECURITY": "sasl_ssl", "TAMIS_KAFKA__PASSWORD": "p"}, "kafka.username"),
        ({"TAMIS_KAFKA__SECURITY": "sasl_ssl", "TAMIS_KAFKA__USERNAME": "u"}, "kafka.password_file"),
        ({"TAMIS_KAFKA__CA_FILE": "ca.pem"}, "kafka.ca_file"),
        ({"TAMIS_KAFKA__REQUEST_TIMEOUT_S": "30"}, "kafka.request_timeout_s"),
        ({"TAMIS_KAFKA__HEARTBEAT_S": "9"}, "kafka.heartbeat_s"),
        ({"TAMIS_KAFKA__TRANSACTION_TIMEOUT_S": "901"}, "kafka.transaction_timeout_s"),
        ({"TAMIS_TOPICS__MIN_INSYNC_REPLICAS": "2"}, "topics.min_insync_replicas"),
        ({"TAMIS_WORKER__RESTART_FIRST_S": "31"}, "worker.restart_first_s"),
        ({"TAMIS_CONSENT__MAX_AGE_S": "6"}, "consent.heartbeat_s"),
    ],
)
def test_values_that_do_not_go_together(environ: dict[str, str], field: str) -> None:
    problems = _problems(None, environ)
    assert len(problems) == 1
    assert f" {field}: " in problems[0]
