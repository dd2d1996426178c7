"""Sketches of distinct subjects: near the truth, mergeable in any order, in an explicit form."""

from __future__ import annotations

import hashlib
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.domain.counts.sketch import REGISTERS, Sketch, entries, entry_of, estimate, sketch_of

ENTRY = entries(b"k" * 32)


def many(count: int, first: int = 0) -> list[int]:
    return [ENTRY(f"subject-{number}") for number in range(first, first + count)]


@pytest.mark.parametrize(
    ("count", "off"), [(0, 0), (1, 0), (5, 0), (10, 1), (100, 8), (500, 40), (3_000, 320), (30_000, 3_200)]
)
def test_an_estimate_is_near_the_truth(count: int, off: int) -> None:
    assert abs(estimate(sketch_of(many(count))) - count) <= off


def test_a_subject_counts_once_however_often_it_comes() -> None:
    assert sketch_of(many(9) * 7) == sketch_of(many(9))


def test_entries_are_keyed() -> None:
    assert [entries(b"j" * 32)(f"subject-{n}") for n in range(9)] != many(9)
    assert ENTRY("subject-1") == ENTRY("subject-1") < REGISTERS << 6


def test_an_entry_is_register_and_rank() -> None:
    assert entry_of(0) == 55
    assert entry_of((1 << 64) - 1) == (REGISTERS - 1) << 6 | 1
    assert entry_of(5 << 54 | 1) == 5 << 6 | 54


def test_the_form_is_stable() -> None:
    assert sketch_of([]) == b""
    assert sketch_of([3 << 6 | 2, 1 << 6 | 1]) == bytes([1, 65, 0, 194, 0])
    assert len(sketch_of(many(5_000))) == 1 + REGISTERS
    digest = hashlib.sha256(sketch_of(many(5_000))).hexdigest()
    assert digest == hashlib.sha256(sketch_of(reversed(many(5_000)))).hexdigest()


@settings(max_examples=60, deadline=None)
@given(parts=st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 700)), max_size=5), seed=st.randoms())
def test_merging_is_the_sketch_of_all_in_any_order_and_however_often(
    parts: list[tuple[int, int]], seed: Random
) -> None:
    whole = sketch_of(entry for first, count in parts for entry in many(count, first))
    encoded = [sketch_of(many(count, first)) for first, count in parts] * 2
    seed.shuffle(encoded)
    merged = Sketch()
    for each in encoded:
        merged.merge(each)
    assert merged.encode() == whole
    again = Sketch()
    again.merge(whole)
    assert again.ranks == merged.ranks


@pytest.mark.parametrize(
    "wrong", [b"\x03", b"\x01\x00", b"\x01\x00\x00", b"\x01\xff\xff", b"\x02" + bytes(9), b"\x02" + b"\xff" * REGISTERS]
)
def test_what_is_no_sketch_is_a_fault(wrong: bytes) -> None:
    with pytest.raises(ValueError, match="sketch"):
        estimate(wrong)
