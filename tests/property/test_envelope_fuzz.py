"""Damaged requests of all vendors never make decoding fail; the long run: ``make chaos``."""

from __future__ import annotations

import pytest

from tamis.envelopes.registry import FIXED
from tests.chaos.envelopes import main
from tests.support.envelope_fuzz import vendors


def test_all_vendors_take_part() -> None:
    assert vendors() == set(FIXED)


def test_no_damage_makes_decoding_fail(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--count", "3000", "--seed", "7"]) == 0, capsys.readouterr().out
