"""Patterns of rules."""

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from tamis.domain.patterns import MAX_TEXT_CHARS, literal_prefix, pattern_fault, searcher


@pytest.mark.parametrize("pattern", [r"^/pricing", r"(?i)\.pdf$", r"\p{L}+", "a{1,100}"])
def test_usable(pattern: str) -> None:
    assert pattern_fault(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        ("(a", "missing )"),
        (r"(?=a)b", "invalid perl operator"),
        (r"(a)\1", "invalid escape sequence"),
        ("a{5000}", "invalid repetition size"),
        ("x" * 300, "longer than 256 characters"),
        ("(?:xyzxyz){1,1000}", "too large once compiled"),
        (r"(\pL{1,100}){1,10}", "pattern too large"),
        ("\ud800", "not valid text"),
    ],
)
def test_fault_is_named(pattern: str, fault: str) -> None:
    assert fault in (pattern_fault(pattern) or "")


def test_search_is_anywhere_and_bounded() -> None:
    found = searcher("é")
    assert found("café")
    assert not found("cafe")
    assert not found("é" * (MAX_TEXT_CHARS + 1))


@pytest.mark.parametrize(
    ("pattern", "prefix"),
    [
        ("^/pricing", "/pricing"), ("^/pricing$", "/pricing"), ("^/ab*c", "/a"), ("^/ab?", "/a"), ("^/ab{0,2}", "/a"),
        ("^/ab+", "/ab"), ("^a|b", ""), ("^(a|b)", ""), ("/pricing", ""), ("^", ""), ("^[a-z]", ""), (r"^\\/a", ""),
        ("(?i)^/a", ""), ("^a.b", "a"), ("^*", ""),
    ],
)  # fmt: skip
def test_literal_prefix(pattern: str, prefix: str) -> None:
    assert literal_prefix(pattern) == prefix


@given(st.from_regex(r"\^[ab/]{0,4}[*+?.|$]?[ab]{0,2}", fullmatch=True), st.text("ab/\n", max_size=6))
def test_the_prefix_changes_no_answer(pattern: str, text: str) -> None:
    if pattern_fault(pattern) is None:
        assert searcher(pattern)(text) == (re2.search(pattern, text) is not None)
