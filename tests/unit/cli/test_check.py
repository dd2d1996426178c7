"""``tamis check``."""

import json
import shutil
from pathlib import Path

import pytest

from tamis.cli.main import main
from tests.support.bundles import CONFIG, reference_bundle


def test_a_good_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(CONFIG / "reference")]) == 0
    said = capsys.readouterr().out
    assert f"bundle {reference_bundle().hash}: 10 rules, 3 destinations, 0 warnings" in said
    assert "crm.marketo" in said
    assert "price_band" in said
    assert "video_75" in said


def test_a_good_folder_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--json", str(CONFIG / "reference")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["valid"], found["hash"], found["problems"]) == (True, reference_bundle().hash, [])
    assert [destination["id"] for destination in found["destinations"]] == ["clean", "hubspot", "marketo"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(CONFIG / "minimal", tmp_path, dirs_exist_ok=True)
    return tmp_path


def test_errors(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = folder / "rules.yaml"
    rules.write_text(rules.read_text().replace("    sla: 4h\n", "").replace("[clean]", "[clean, crm]"))
    assert main(["check", str(folder)]) == 1
    said = capsys.readouterr().out
    assert f'{rules}:3:5: error: "rules", element 1, lacks "sla"' in said
    assert f'{rules}:10:27: error: unknown destination "crm": there is clean' in said
    assert "2 errors, 0 warnings: this configuration is not used" in said
    assert main(["check", "--json", str(folder)]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["valid"], found["hash"]) == (False, None)
    assert [(problem["line"], problem["severity"]) for problem in found["problems"]] == [(3, "error"), (10, "error")]


def test_warnings_pass_unless_strict(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = folder / "rules.yaml"
    rules.write_text(rules.read_text().replace("    expected_by: none\n", ""))
    assert main(["check", str(folder)]) == 0
    assert "warning: rule" in capsys.readouterr().out
    assert main(["check", "--strict", str(folder)]) == 1


def test_no_such_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path / "absent")]) == 2
    assert "does not exist" in capsys.readouterr().err
