"""US Privacy strings: four characters, nothing else."""

from __future__ import annotations

from itertools import product

import pytest

from tamis.domain.consent.strings.flaw import Flaw, Malformed
from tamis.domain.consent.strings.usp import UspString, decode_usp


def test_every_combination_is_read() -> None:
    for letters in product("YN-", repeat=3):
        assert decode_usp("1" + "".join(letters)) == UspString(*letters)


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("", Flaw.EMPTY), ("1", Flaw.TRUNCATED), ("1YN", Flaw.TRUNCATED), ("1YNNN", Flaw.VALUE), ("1ynn", Flaw.VALUE),
        ("2YNN", Flaw.VERSION), ("1Y N", Flaw.VALUE), ("1YNn", Flaw.VALUE), ("1YN\n", Flaw.VALUE),
        ("1" * 9000, Flaw.TOO_LONG), ("YNN1", Flaw.VERSION),
    ],
)  # fmt: skip
def test_what_is_refused(text: str, flaw: Flaw) -> None:
    assert decode_usp(text) == Malformed(flaw)
