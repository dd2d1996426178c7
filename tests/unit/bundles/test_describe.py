"""What each destination receives, in words."""

from pathlib import Path

import pytest

from tamis.bundles.describe import describe
from tamis.cli.main import main
from tests.support.bundles import CONFIG, minimal_bundle, reference_bundle


def test_every_destination_field_and_regulation_is_told() -> None:
    bundle, page = reference_bundle(), describe(reference_bundle())
    for destination in bundle.destinations:
        assert f"## {destination.id}" in page
        assert all(f"| {field} |" in page for field in destination.field_names)
    for law in bundle.policy.judged():
        assert f"| {law.id} (" in page
    assert bundle.hash in page
    assert "an address is never needed for statistics" in page


def test_what_is_left_out_is_no_row() -> None:
    assert "| email |" not in describe(reference_bundle())


def test_without_regulations_the_one_there_is_opt_in() -> None:
    assert "| gdpr | not allowed |" in describe(minimal_bundle())


def test_check_describes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(CONFIG / "minimal"), "--describe"]) == 0
    assert capsys.readouterr().out == describe(minimal_bundle())


def test_what_is_broken_is_not_described(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path), "--describe"]) == 1
    assert "#" not in capsys.readouterr().out
    assert main(["check", str(CONFIG / "minimal"), "--describe", "--json"]) == 2
