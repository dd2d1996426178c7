"""Patterns of rules."""

import pytest

from tamis.domain.patterns import MAX_TEXT_CHARS, pattern_fault, searcher


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
