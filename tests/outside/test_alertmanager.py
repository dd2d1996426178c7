"""A real Alertmanager with the configuration of ``deploy``: one page an incident, and nothing that follows from it."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.kafka.cluster import free_ports
from tests.support.patience import Deadline
from tests.support.requirements import require

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.prometheus, pytest.mark.slow]

CONFIG = Path(__file__).resolve().parents[2] / "deploy/alertmanager/alertmanager.yml"
LIMIT_S = 60.0


class Alertmanager:
    """Its API."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/api/v2"

    def ready(self) -> bool:
        try:
            self.ask("status")
        except (urllib.error.URLError, ConnectionError, json.JSONDecodeError):
            return False
        return True

    def post(self, *alerts: dict[str, str]) -> None:
        body = json.dumps([{"labels": {"cluster": "local", **labels}} for labels in alerts]).encode()
        headers = {"Content-Type": "application/json"}
        urllib.request.urlopen(urllib.request.Request(f"{self._url}/alerts", body, headers), timeout=10).close()

    def ask(self, what: str) -> Any:
        with urllib.request.urlopen(f"{self._url}/{what}", timeout=10) as answer:
            return json.load(answer)

    def told(self) -> dict[str, str]:
        """Alert name and rule -> "told", or "held back" because another alert says it."""
        return {
            f"{each['labels']['alertname']} {each['labels'].get('rule', '')}".strip(): (
                "held back" if each["status"]["inhibitedBy"] else "told"
            )
            for each in self.ask("alerts")
        }


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[Alertmanager]:
    require("prometheus-alertmanager")
    port, cluster = free_ports(2)
    command = [
        "prometheus-alertmanager", f"--config.file={CONFIG}", f"--storage.path={tmp_path}",
        f"--web.listen-address=127.0.0.1:{port}", f"--cluster.listen-address=127.0.0.1:{cluster}",
    ]  # fmt: skip
    log = tmp_path / "log"
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            made = Alertmanager(port)
            until(made.ready, lambda: f"alertmanager did not start:\n{log.read_text()}")
            yield made
        finally:
            process.kill()


def until(condition: Callable[[], bool], what: Callable[[], object]) -> None:
    deadline = Deadline(LIMIT_S)
    while not condition():
        deadline.check(what())
        time.sleep(0.1)


def test_what_follows_from_another_alert_is_held_back(alertmanager: Alertmanager) -> None:
    page = {"severity": "page", "owner": "platform"}
    alertmanager.post(
        {"alertname": "TamisGateClosed", "reason": "consent_too_old", **page},
        {"alertname": "TamisConsentOld", "instance": "a", **page},
        {"alertname": "TamisLagGrowing", "topic": "events.raw", **page},
        {"alertname": "TamisSourceStall", "topic": "events.raw", "partition": "3", **page},
        {"alertname": "TamisWatermarkStall", **page},
        {"alertname": "TamisLedgerResidual", **page},
        {"alertname": "TamisIncident", "site": "shop", "rule": "lead", "owner": "growth", "severity": "page"},
    )
    expected = {
        "TamisGateClosed": "told", "TamisConsentOld": "held back", "TamisLagGrowing": "held back",
        "TamisSourceStall": "held back", "TamisWatermarkStall": "held back", "TamisLedgerResidual": "told",
        "TamisIncident lead": "told",
    }  # fmt: skip
    until(lambda: alertmanager.told() == expected, alertmanager.told)


def test_alerts_of_an_owner_are_one_group_at_its_own_receiver(alertmanager: Alertmanager) -> None:
    incident = {"alertname": "TamisIncident", "severity": "page", "site": "shop"}
    alertmanager.post(
        {**incident, "rule": "newsletter_signup", "owner": "growth"},
        {**incident, "rule": "scroll_90", "owner": "growth"},
        {**incident, "rule": "contact_form", "owner": "legal_intake"},
        {"alertname": "TamisSlaMissed", "severity": "page", "site": "shop", "rule": "lead", "owner": "sales"},
        {"alertname": "TamisFatal", "severity": "ticket", "owner": "platform"},
    )

    def groups() -> set[tuple[str, str, str, int]]:
        return {
            (group["receiver"]["name"], group["labels"]["owner"], group["labels"]["alertname"], len(group["alerts"]))
            for group in alertmanager.ask("alerts/groups")
        }

    expected = {
        ("marketing", "growth", "TamisIncident", 2), ("law-firm", "legal_intake", "TamisIncident", 1),
        ("sales", "sales", "TamisSlaMissed", 1), ("platform", "platform", "TamisFatal", 1),
    }  # fmt: skip
    until(lambda: groups() == expected, groups)
