"""``tamis audit verify DIR`` as its user sees it: exit codes, text and JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from tamis.cli.main import tamis
from tamis.settings import SetupError
from tamis.stores.audit_export import AuditExportWriter
from tests.support.audit import sample

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def export(tmp_path: Path) -> Path:
    with AuditExportWriter(tmp_path / "audit", "audit.log") as writer:
        for partition in (0, 1):
            for record in sample(partition):
                writer.write(partition, *record)
    return tmp_path / "audit"


def test_a_good_export_exits_0_and_says_what_it_holds(export: Path) -> None:
    result = CliRunner().invoke(tamis, ["audit", "verify", str(export)])
    assert result.exit_code == 0
    assert "partition 1 (localhost/tamis/audit.log/p1/e1): ok" in result.output
    assert "8 source offsets are declared lost" in result.output
    assert result.output.splitlines()[-1] == "verified: 2 logs, 54 leaves, every check passed"


def test_a_bad_export_exits_1_and_names_check_and_place(export: Path) -> None:
    path = export / "1.log"
    path.write_bytes(path.read_bytes().replace(b'"why":"granted"', b'"why":"grunted"', 1))
    result = CliRunner().invoke(tamis, ["audit", "verify", str(export)])
    assert result.exit_code == 1
    assert "first failure: check 'root' at leaves 0 to 5 (record 6)" in result.output
    assert result.output.splitlines()[-1] == "NOT VERIFIED: 1 of 2 logs fail: partition 1 (root)"


def test_json_holds_the_reports(export: Path) -> None:
    result = CliRunner().invoke(tamis, ["audit", "verify", str(export), "--json"])
    answer = json.loads(result.output)
    assert (answer["verified"], answer["leaves"], [log["partition"] for log in answer["logs"]]) == (True, 54, [0, 1])
    assert answer["logs"][0]["failure"] is None


def test_a_folder_without_export_is_wrong_usage(tmp_path: Path) -> None:
    result = CliRunner().invoke(tamis, ["audit", "verify", str(tmp_path)])
    assert isinstance(result.exception, SetupError)
    assert result.exception.exit_code == 2


def test_an_empty_export_says_that_nothing_was_verified(tmp_path: Path) -> None:
    AuditExportWriter(tmp_path, "audit.log").close()
    result = CliRunner().invoke(tamis, ["audit", "verify", str(tmp_path)])
    assert result.output == "there are no audit records: nothing to verify\n"
    assert result.exit_code == 0
