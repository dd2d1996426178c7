"""The monitoring files are accepted by the programs that read them, and point at each other."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.requirements import require

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
SOURCES = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"]
DASHBOARDS = sorted((DEPLOY / "grafana/dashboards").glob("*.json"))


def test_promtool_accepts_prometheus_and_rules() -> None:
    require("promtool")
    check = ["promtool", "check", "config", str(DEPLOY / "prometheus/prometheus.yml")]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_amtool_accepts_alertmanager() -> None:
    require("amtool")
    check = ["amtool", "check-config", str(DEPLOY / "alertmanager/alertmanager.yml")]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("owner", "receiver"),
    [("sales", "sales"), ("content", "marketing"), ("legal_intake", "law-firm"), ("platform", "platform")],
)
def test_an_alert_reaches_its_owner(owner: str, receiver: str) -> None:
    require("amtool")
    route = ["amtool", "config", "routes", "test", f"--config.file={DEPLOY / 'alertmanager/alertmanager.yml'}"]
    done = subprocess.run([*route, f"owner={owner}"], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == receiver, done.stderr


def test_alertmanager_holds_no_secret_and_routes_by_owner() -> None:
    text = (DEPLOY / "alertmanager/alertmanager.yml").read_text()
    config = yaml.safe_load(text)
    assert "owner" in config["route"]["group_by"]
    receivers = {receiver["name"] for receiver in config["receivers"]}
    assert {config["route"]["receiver"], *(route["receiver"] for route in config["route"]["routes"])} == receivers
    assert all(set(receiver) == {"name"} for receiver in config["receivers"])


def test_each_owner_of_a_rule_has_a_route() -> None:
    routes = yaml.safe_load((DEPLOY / "alertmanager/alertmanager.yml").read_text())["route"]["routes"]
    routed = {
        owner for route in routes for matcher in route["matchers"] for owner in re.findall(r"[a-z_]+", matcher)[1:]
    }
    rules = yaml.safe_load((ROOT / "config/reference/rules.yaml").read_text())["rules"]
    assert routed == {rule["owner"] for rule in rules}


def test_prometheus_sends_alerts_to_alertmanager() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    (manager,) = config["alerting"]["alertmanagers"]
    assert manager["static_configs"][0]["targets"] == ["alertmanager:9093"]
    assert "alertmanager" in COMPOSE


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source["name"])
def test_data_sources_are_services(source: dict[str, str]) -> None:
    host = source["url"].removeprefix("http://").split(":")[0]
    assert host in COMPOSE


def test_dashboards_are_mounted_where_grafana_looks() -> None:
    (provider,) = yaml.safe_load((DEPLOY / "grafana/provisioning/dashboards/tamis.yml").read_text())["providers"]
    assert f"./deploy/grafana/dashboards:{provider['options']['path']}:ro" in COMPOSE["grafana"]["volumes"]
    assert DASHBOARDS


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_dashboards_use_a_provisioned_data_source(path: Path) -> None:
    uids = set(_data_sources(json.loads(path.read_text())))
    assert uids
    assert uids <= {source["uid"] for source in SOURCES} | {"-- Grafana --", "grafana"}


def _data_sources(node: object) -> list[str]:
    if isinstance(node, list):
        return [uid for item in node for uid in _data_sources(item)]
    if not isinstance(node, dict):
        return []
    own = node.get("datasource")
    found = [own["uid"]] if isinstance(own, dict) and "uid" in own else []
    return found + [uid for value in node.values() for uid in _data_sources(value)]
