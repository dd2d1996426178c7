"""Anchors: one way to write them, each follows the one before."""

from __future__ import annotations

import pytest

from tamis.domain.audit.anchor import AnchorChain, AnchorError, StampedText, next_anchor, parse_anchor
from tests.support.sealed import SealedLog, numbered

A = SealedLog(numbered(20), "example.org/audit.log/p0/e1")
B = SealedLog(numbered(9, "b"), "example.org/audit.log/p1/e1")
FIRST = next_anchor(None, [B.note(3), A.note(5)])
STORED = StampedText(FIRST.encode(), b"stamp 1")


def test_an_anchor_holds_all_checkpoints_sorted_and_cites_the_one_before() -> None:
    second = next_anchor(STORED, [A.note(7), B.note(3)])
    assert [checkpoint.size for checkpoint in FIRST.checkpoints()] == [5, 3]
    assert (FIRST.previous, FIRST.stamp) == ("0" * 64, "0" * 64)
    chain = AnchorChain()
    assert chain.follow(STORED) == FIRST
    assert chain.follow(StampedText(second.encode(), b"stamp 2")) == second
    assert parse_anchor(second.encode()).notes[0] == A.note(7)


def test_every_changed_byte_breaks_the_text_or_the_chain() -> None:
    second = StampedText(next_anchor(STORED, [A.note(7), B.note(3)]).encode(), b"stamp 2")
    for place in range(len(STORED.text)):
        changed = bytearray(STORED.text)
        changed[place] ^= 1
        with pytest.raises(AnchorError):
            _follow([StampedText(bytes(changed), b"stamp 1"), second])


def _follow(texts: list[StampedText]) -> None:
    chain = AnchorChain()
    for text in texts:
        chain.follow(text)


def test_another_timestamp_breaks_the_chain() -> None:
    second = StampedText(next_anchor(STORED, [A.note(7), B.note(3)]).encode(), b"stamp 2")
    chain = AnchorChain()
    chain.follow(StampedText(STORED.text, b"stamp!"))
    with pytest.raises(AnchorError, match="does not cite"):
        chain.follow(second)


@pytest.mark.parametrize(
    ("notes", "why"),
    [
        ([A.note(4), B.note(3)], "shrinks from 5 to 4"),
        ([A.note(5)], "leaves out"),
        ([A.note(5), SealedLog(numbered(9, "other"), B.origin).note(3)], "another root at size 3"),
    ],
)
def test_what_cannot_follow(notes: list, why: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(AnchorError, match=why):
        next_anchor(STORED, notes)


@pytest.mark.parametrize(
    "text",
    [
        b"", b"\xff", FIRST.encode()[:-1], FIRST.encode() + b"\n", FIRST.encode().replace(b"anchor 1", b"anchor 01"),
        FIRST.encode().partition(b"\n\n")[0] + b"\n", FIRST.encode().partition(b"\n\n")[0] + b"\n\n",
    ],
)  # fmt: skip
def test_what_is_no_anchor(text: bytes) -> None:
    with pytest.raises(AnchorError):
        parse_anchor(text)


def test_a_log_stands_in_an_anchor_once() -> None:
    with pytest.raises(AnchorError):
        parse_anchor(next_anchor(None, [A.note(5), A.note(5)]).encode())


def test_a_chain_does_not_begin_in_the_middle() -> None:
    second = next_anchor(STORED, [A.note(7), B.note(3)])
    with pytest.raises(AnchorError, match="anchor 2 where 1 is due"):
        AnchorChain().follow(StampedText(second.encode(), b""))
