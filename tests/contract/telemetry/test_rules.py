"""Alert rules: accepted by Prometheus, tested, about series that exist, each with somebody and something to do."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.promql import SERIES, problems
from tests.support.requirements import require

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "deploy/prometheus"
RUNBOOKS = ROOT / "docs/runbooks"
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((FOLDER / "rules.yml").read_text())["groups"] for rule in group["rules"]
]
ALERTS = [rule for rule in RULES if "alert" in rule]
RECORDED = {rule["record"] for rule in RULES if "record" in rule}
EACH_ALERT = pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])


def _promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    require("promtool")
    return subprocess.run(["promtool", *arguments], cwd=FOLDER, capture_output=True, text=True, check=False)


def test_prometheus_accepts_the_rules() -> None:
    done = _promtool("check", "rules", "--lint=all", "--lint-fatal", "rules.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_fire_when_they_should_and_only_then() -> None:
    done = _promtool("test", "rules", "rules_test.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tested_to_fire_and_to_stay_silent() -> None:
    cases = [case for test in yaml.safe_load((FOLDER / "rules_test.yml").read_text())["tests"]
             for case in test["alert_rule_test"]]  # fmt: skip
    names = {rule["alert"] for rule in ALERTS}
    assert {case["alertname"] for case in cases if case.get("exp_alerts")} == names
    assert {case["alertname"] for case in cases if not case.get("exp_alerts")} == names


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("alert") or rule["record"])
def test_expressions_name_what_exists(rule: dict[str, Any]) -> None:
    assert problems(rule["expr"], RECORDED) == []


@pytest.mark.parametrize(
    ("expression", "wrong"),
    [("rate(tamis_evnts_total[5m])", "tamis_evnts_total"),
     ('tamis_gate_closed{reason="nope"}', 'tamis_gate_closed{reason="nope"}'),
     ("sum by (colour) (tamis_lag_records)", "colour"), ("tamis:never:recorded > 1", "tamis:never:recorded")],
)  # fmt: skip
def test_what_does_not_exist_is_seen(expression: str, wrong: str) -> None:
    assert problems(expression, RECORDED) == [wrong]


@EACH_ALERT
def test_an_alert_has_a_summary_a_runbook_an_owner_and_a_severity(rule: dict[str, Any]) -> None:
    assert rule["annotations"]["summary"]
    assert (ROOT / rule["annotations"]["runbook"]).is_file()
    of_series = {label.name for name in SERIES if name in rule["expr"] for label in SERIES[name].labels}
    for label in ("owner", "severity"):
        assert label in rule.get("labels", {}) or label in of_series
    assert rule.get("labels", {}).get("severity", "page") in {"page", "ticket"}


def test_runbooks_and_alerts_go_together() -> None:
    used = {Path(rule["annotations"]["runbook"]).name for rule in ALERTS}
    index = (RUNBOOKS / "README.md").read_text()
    assert {path.name for path in RUNBOOKS.glob("*.md")} - {"README.md"} == used
    assert all(f"]({name})" in index for name in used)
    assert all(f"`{rule['alert']}`" in index for rule in ALERTS)


@pytest.mark.parametrize("path", sorted(RUNBOOKS.glob("[a-z]*.md")), ids=lambda path: path.stem)
def test_a_runbook_says_what_how_and_until_when(path: Path) -> None:
    text = path.read_text()
    for heading in ("What it means", "How to see it", "What to do", "How to know it is over"):
        assert f"**{heading}.**" in text
    mentioned = {re.sub(r"_(bucket|sum|count)$", "", name) for name in re.findall(r"\btamis_[a-z_]+", text)}
    assert mentioned <= SERIES.keys()
