"""Bits are read within bounds, from the base64url alphabet alone, and nothing but padding may be left."""

from __future__ import annotations

import pytest

from tamis.domain.consent.strings.bits import Cursor
from tamis.domain.consent.strings.flaw import Flaw


def test_fields_are_big_endian_and_six_bits_a_character() -> None:
    cursor = Cursor("DBABM")
    assert [cursor.take(6), cursor.take(6), cursor.take(12), cursor.take(1), cursor.take(5)] == [3, 1, 1, 0, 0b01100]
    assert (cursor.flaw, cursor.pos, cursor.size) == (None, 30, 30)


@pytest.mark.parametrize("text", ["A=", "A+", "A/", "A ", "Aé", "A\n", "A.", "٣", "\ud800"])
def test_other_characters_are_a_flaw_at_once(text: str) -> None:
    cursor = Cursor(text)
    assert (cursor.flaw, cursor.take(1)) == (Flaw.ALPHABET, 0)


def test_an_empty_text_is_empty() -> None:
    assert Cursor("").flaw is Flaw.EMPTY


@pytest.mark.parametrize("long", [False, True])
def test_no_read_goes_past_the_end_and_the_first_flaw_stays(long: bool) -> None:
    cursor = Cursor("___")
    read = cursor.take_long if long else cursor.take
    assert [read(17), read(2), read(1), read(1)] == [0x1FFFF, 0, 0, 0]
    cursor.fail(Flaw.RANGE)
    assert cursor.flaw is Flaw.TRUNCATED


def test_long_reads_begin_and_end_anywhere() -> None:
    text = "".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ"[n % 26] for n in range(100))
    bits = "".join(format(n % 26, "06b") for n in range(100))
    for start in range(9):
        for width in (0, 1, 7, 8, 57, 64, 300):
            cursor = Cursor(text)
            cursor.take(start)
            assert cursor.take_long(width) == int("0" + bits[start : start + width], 2)


@pytest.mark.parametrize(
    ("text", "flaw"),
    [("_", None), ("_A", None), ("_AAA", None), ("_AAAA", Flaw.PADDING), ("_B", Flaw.PADDING), ("_AAAB", Flaw.PADDING)],
)
def test_less_than_a_group_of_zeros_may_follow(text: str, flaw: Flaw | None) -> None:
    cursor = Cursor(text)
    cursor.take(6)
    cursor.finish()
    assert cursor.flaw is flaw
