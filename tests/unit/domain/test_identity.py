"""Ids: canonical spelling, placeholders, subject keys."""

import re
from pathlib import Path

import pytest

from tamis.domain.identity import _PLACEHOLDERS, MAX_ID_CHARS, SubjectKeys, canonical


@pytest.mark.parametrize(
    "value",
    [
        "", " ", "0", "000", "-", "-1", "null", "NULL", " null ", "None", "undefined", "UNDEFINED", "NaN", "anonymous",
        "anon",
        "n/a", "N/A", "[object Object]", "[object Window]", "{{user_id}}", "${userId}", "<%= user.id %>", '"null"',
        "'undefined'", "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "(not set)", "9774d56d682e549c", "guest",
        "\u00a0null\u3000", "\uff4e\uff55\uff4c\uff4c",
        "x" * (MAX_ID_CHARS + 1),
    ],
)  # fmt: skip
def test_placeholders_name_nobody(value: str) -> None:
    assert canonical(value) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("u-1001", "u-1001"),
        (" u-1001\n", "u-1001"),
        ("1", "1"),
        ("12345", "12345"),
        ("Zoë", "Zoë"),
        ("Zoe\u0308", "Zoë"),
        ("\uff21\uff22", "AB"),
        ("Jane.Doe@Example.Test", "jane.doe@example.test"),
        ("ABC", "ABC"),
        ("anonymous-7", "anonymous-7"),
        ("5f0c7b2e-91a4-4c1e-8d3b-7a6f1e2d3c4b", "5f0c7b2e-91a4-4c1e-8d3b-7a6f1e2d3c4b"),
        ("1234567890.1700000000", "1234567890.1700000000"),
        ("x" * MAX_ID_CHARS, "x" * MAX_ID_CHARS),
    ],
)
def test_one_spelling_an_id(value: str, expected: str) -> None:
    assert canonical(value) == expected
    assert canonical(expected) == expected


def test_subject_keys_separate_persons_from_devices_and_depend_on_the_key() -> None:
    keys = SubjectKeys(b"k" * 32)
    other = SubjectKeys(b"j" * 32)
    found = {keys.person("a"), keys.device("a"), other.person("a"), other.device("a"), keys.person("b")}
    assert len(found) == 5
    assert all(len(key) == 22 for key in found)
    assert keys.person("a") == SubjectKeys(b"k" * 32).person("a")


def test_the_producers_page_lists_every_placeholder() -> None:
    page = (Path(__file__).parents[3] / "docs" / "producers.md").read_text("utf-8")
    section = page.partition("## Placeholder ids")[2].partition("\n## ")[0]
    listed = set(re.findall(r"`([^`]+)`", section))
    assert listed >= _PLACEHOLDERS - {""}
    assert all(canonical(word) is None for word in _PLACEHOLDERS)
