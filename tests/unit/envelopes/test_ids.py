"""The memo of ids: bounded in number and size, silent, never wrong."""

import pytest

from tamis.domain.identity import MAX_ID_CHARS
from tamis.envelopes import ids
from tamis.envelopes.ids import IdMemo


def test_answers_are_remembered_and_numbers_are_their_text() -> None:
    memo = IdMemo()
    assert [memo["u-1"], memo[7], memo["7"], memo["null"], memo[0]] == ["u-1", "7", "7", None, None]
    assert len(memo) == 5
    assert memo["u-1"] == "u-1"


def test_long_ids_are_not_kept() -> None:
    memo = IdMemo()
    assert memo["x" * (MAX_ID_CHARS + 1)] is None
    assert memo[10 ** (MAX_ID_CHARS + 1)] is None
    assert len(memo) == 0


def test_it_starts_over_when_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids, "MEMO_LIMIT", 10)
    memo = IdMemo()
    assert [memo[f"u-{n}"] for n in range(25)] == [f"u-{n}" for n in range(25)]
    assert len(memo) <= 10


def test_it_shows_no_identity() -> None:
    memo = IdMemo()
    assert memo["u-1"] == "u-1"
    assert repr(memo) == str(memo) == "IdMemo(1 ids)"
