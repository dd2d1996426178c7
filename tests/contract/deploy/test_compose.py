"""docker-compose.yml obeys the published compose schema and agrees with the code, the files and itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema

from tamis.settings_loader import load_settings
from tests.support.command_lines import problem
from tests.support.kafka.jars import POM

ROOT = Path(__file__).resolve().parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("tamis:")}
PINNED = re.compile(r"^[a-z0-9/]+:v?\d+\.\d+\.\d+$")


def test_it_obeys_the_published_schema() -> None:
    validator = jsonschema.Draft7Validator(get_builtin_schema("vendor.compose-spec"))
    assert [error.message for error in validator.iter_errors(COMPOSE)] == []


def test_the_schema_notices_a_wrong_key() -> None:
    validator = jsonschema.Draft7Validator(get_builtin_schema("vendor.compose-spec"))
    assert not validator.is_valid({"services": {"kafka": {"imagee": "apache/kafka"}}})


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_pinned_to_a_full_version(name: str) -> None:
    assert PINNED.match(SERVICES[name]["image"])


def test_kafka_is_the_version_the_tests_run() -> None:
    tested = re.search(r"kafka_2\.13</artifactId><version>([^<]+)<", POM.read_text())
    assert tested is not None
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{tested[1]}"


def test_our_image_carries_the_version_of_the_project() -> None:
    version = re.search(r'^version = "([^"]+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    assert {service["image"] for service in OURS.values()} == {f"tamis:{version[1]}"}


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_published_on_loopback_only(name: str) -> None:
    assert all(str(port).startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@pytest.mark.parametrize("name", SERVICES)
def test_containers_are_hardened(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("user", "1").split(":")[0] not in {"0", "root"}
    assert not service.get("privileged")


@pytest.mark.parametrize("name", SERVICES)
def test_long_running_containers_have_a_health_check(name: str) -> None:
    if SERVICES[name]["restart"] != "no":
        assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize("name", SERVICES)
def test_mounted_files_exist(name: str) -> None:
    volumes = [volume.split(":")[0] for volume in SERVICES[name].get("volumes", [])]
    for source in volumes:
        if source.startswith("./"):
            assert (ROOT / source).exists(), source
        else:
            assert source in COMPOSE["volumes"]


@pytest.mark.parametrize("name", OURS)
def test_commands_exist(name: str) -> None:
    assert problem(OURS[name]["command"]) is None


@pytest.mark.parametrize("name", OURS)
def test_environment_is_valid_settings(name: str) -> None:
    settings = load_settings(environ=OURS[name]["environment"]).settings
    assert settings.keys.file == "/run/secrets/tamis_keys"
    assert OURS[name]["secrets"] == ["tamis_keys"]


def test_tamis_reaches_kafka_where_it_listens() -> None:
    settings = load_settings(environ=SERVICES["tamis"]["environment"]).settings
    advertised = SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    assert f"INSIDE://{settings.kafka.bootstrap}" in advertised
    assert settings.topics.replication == 1  # one broker


def test_the_rules_folder_is_mounted() -> None:
    folder = load_settings(environ=SERVICES["tamis"]["environment"]).settings.rules.folder
    source, target, _ = next(v for v in SERVICES["tamis"]["volumes"] if v.startswith("./config")).split(":")
    assert (ROOT / source / Path(folder).relative_to(target)).is_dir()


def test_prometheus_scrapes_each_process() -> None:
    port = load_settings(environ=SERVICES["tamis"]["environment"]).settings.telemetry.port
    workers = int(SERVICES["tamis"]["command"][-1])
    wanted = {f"tamis:{port + i}" for i in range(workers + 2)}  # the replica first, the sealer last
    scrape = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())["scrape_configs"]
    job = next(entry for entry in scrape if entry["job_name"] == "tamis")
    assert {target for static in job["static_configs"] for target in static["targets"]} == wanted
    assert SERVICES["tamis"]["ports"] == [f"127.0.0.1:{port}-{port + workers + 1}:{port}-{port + workers + 1}"]


def test_services_wait_for_services_that_exist() -> None:
    for service in SERVICES.values():
        assert set(service.get("depends_on", {})) <= set(SERVICES)


def test_topics_are_made_before_tamis_starts() -> None:
    assert SERVICES["tamis"]["depends_on"]["topics"] == {"condition": "service_completed_successfully"}
    assert SERVICES["topics"]["command"] == ["topics", "apply"]
    assert SERVICES["topics"]["restart"] == "no"
