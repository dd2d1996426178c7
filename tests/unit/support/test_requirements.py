"""A missing tool is loud: one skip line, or a failure where it is required."""

from __future__ import annotations

import pytest

from tests.support import requirements


def test_a_tool_that_is_there_lets_the_test_go_on() -> None:
    requirements.require("sh")
    assert requirements._program("sh") is None


def test_a_missing_tool_skips_and_names_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TAMIS_REQUIRE", raising=False)
    with pytest.raises(pytest.skip.Exception, match="MISSING NO-SUCH-TOOL"):
        requirements.require("no-such-tool")


def test_a_missing_tool_that_is_required_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAMIS_REQUIRE", "kafka, no-such-tool")
    with pytest.raises(pytest.fail.Exception, match="no-such-tool"):
        requirements.require("no-such-tool")
