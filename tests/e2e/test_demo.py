"""``tamis demo`` as a newcomer runs it: a balanced ledger, a verified log, an incident only with the fault."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
TAMIS = [sys.executable, "-m", "tamis.cli.main"]
RAW_MARKS = re.compile(rb"[\w.+-]+(?:@|%40)[\w-]+\.\w")


def demo(
    folder: Path, *arguments: str, timeout: float = 240
) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    run = subprocess.run(
        [*TAMIS, "demo", "--json", "--out", str(folder), *arguments],
        cwd=CHECKOUT, capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip
    lines = run.stdout.strip().splitlines()
    assert lines, run.stderr
    return run, json.loads(lines[-1])


def outcomes(summary: dict[str, Any]) -> int:
    return sum(summary[name] for name in ("accepted", "denied", "held", "duplicate", "conflict", "invalid"))


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("demo") / "out"
    run, summary = demo(folder, "--events", "16000", "--seconds", "20")
    assert run.returncode == 0, run.stdout + run.stderr
    return folder, summary


def test_the_ledger_balances_and_the_audit_log_verifies(broken: tuple[Path, dict[str, Any]]) -> None:
    _, summary = broken
    assert summary["in"] == outcomes(summary) == summary["audit_leaves"] == 16_000
    assert summary["audit_verified"] is True
    assert min(summary[name] for name in ("accepted", "denied", "invalid")) > 0
    assert min(summary["held_released"], summary["held_denied"]) > 0
    assert summary["held"] == summary["held_released"] + summary["held_denied"] + summary["held_pending"]
    assert summary["duplicate"] > 0


def test_the_broken_tagging_is_one_incident_that_closes(broken: tuple[Path, dict[str, Any]]) -> None:
    folder, summary = broken
    alerts = [json.loads(line) for line in (folder / "alerts.jsonl").read_text().splitlines()]
    assert summary["alerts"] == 1
    assert {alert["series"] for alert in alerts} == {"shop/newsletter_signup"}
    assert alerts[0]["state"] == "open"
    assert alerts[-1]["state"] == "closed"


def test_outputs_on_disk_hold_no_raw_identity(broken: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = broken
    logs = [path for path in (folder / "audit").rglob("*") if path.is_file()]
    hashes = {path for path in logs if "tile" in path.parts and "entries" not in path.parts}  # any bytes may be there
    files = [*folder.glob("*.jsonl"), *(path for path in logs if path not in hashes)]
    assert {"events.clean.jsonl", "crm.hubspot.jsonl", "crm.marketo.jsonl"} <= {file.name for file in files}
    for file in files:
        content = file.read_bytes()
        assert content or file.name == ".lock"
        assert not RAW_MARKS.search(content), file.name


def test_the_sealed_log_verifies_again_from_disk_with_the_key_beside_it(broken: tuple[Path, dict[str, Any]]) -> None:
    folder, summary = broken
    verify = [*TAMIS, "audit", "verify", str(folder / "audit"), "--json", "--vkey"]
    run = subprocess.run([*verify, str(folder / "audit.vkey")], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout.strip().splitlines()[-1])
    assert (report["verified"], report["leaves"]) == (True, summary["audit_leaves"])
    sealed = {log["log"].split("/")[2]: log["sealed"] for log in report["logs"]}
    assert min(sealed.values()) > 0, "every log has a checkpoint by that key"
    assert all(log["attested"] for log in report["logs"] if log["heads"]), "and its batches are signed by workers"


def test_a_decision_of_the_demo_is_explained_from_its_folder_alone(broken: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = broken
    asked = [*TAMIS, "explain", str(folder / "audit"), "--json", "--position", "events.raw/1/17/0"]
    run = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert json.loads(run.stdout.splitlines()[0])["reevaluated"] in {"same", "not decided"}


def test_a_healthy_run_gives_no_alert(tmp_path: Path) -> None:
    run, summary = demo(tmp_path / "out", "--events", "14000", "--seconds", "15", "--no-fault")
    assert run.returncode == 0, run.stdout + run.stderr
    assert summary["alerts"] == 0
    assert summary["in"] == outcomes(summary) == summary["audit_leaves"]


def test_ctrl_c_ends_in_order_with_a_balanced_verified_log(tmp_path: Path) -> None:
    command = [*TAMIS, "demo", "--json", "--out", str(tmp_path / "out"), "--events", "50000", "--seconds", "90"]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if " in=" in line:
                    break
            process.send_signal(signal.SIGINT)
            rest, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0, errors
    summary = json.loads(rest.strip().splitlines()[-1])
    assert summary["audit_verified"] is True
    assert summary["audit_leaves"] == outcomes(summary)
    assert 0 < summary["in"] < 50_000


def test_a_folder_in_use_is_refused_with_a_clear_message(tmp_path: Path) -> None:
    (tmp_path / "keep").write_text("mine")
    run = subprocess.run(
        [*TAMIS, "demo", "--out", str(tmp_path)], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 2
    assert "not empty" in run.stderr
    assert (tmp_path / "keep").read_text() == "mine"
