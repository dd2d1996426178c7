"""Generated files are what the code makes now."""

from __future__ import annotations

import pytest

from tests.support.regenerate import GENERATED, ROOT


@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_file_is_up_to_date(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert text == GENERATED[name](), "run: make docs"
