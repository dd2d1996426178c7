"""YAML text to values with lines."""

from typing import Any

import pytest

from tamis.bundles.scalars import plain
from tamis.bundles.yaml_file import MAX_BYTES, read_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True), ("false", False), ("null", None), ("~", None), ("", None), ("0", 0), ("-12", -12), ("1.5", 1.5),
        ("1e3", 1000.0), ("9007199254740993", 9007199254740993), ("10:00", "10:00"), ("2026-11-20", "2026-11-20"),
        ("4h", "4h"), ("1.2.3", "1.2.3"), ("y", "y"), ("=", "="), ("1" * 50, "1" * 50),
    ],
)  # fmt: skip
def test_plain_scalars(text: str, value: Any) -> None:
    found, fault = plain(text)
    assert (found, type(found), fault) == (value, type(value), None)


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "No",
        "ON",
        "off",
        "True",
        "NULL",
        "007",
        "0o17",
        "0x1F",
        "0b1",
        "1_000",
        ".5",
        ".inf",
        "-.INF",
        ".nan",
        "1e999",
    ],
)
def test_scalars_that_readers_disagree_about(text: str) -> None:
    assert plain(text)[1] is not None


def test_quotes_make_text() -> None:
    document, problems = read_yaml("f", b"a: ['no', \"007\", '1', |\n  true\n  ]")
    assert document is None or problems == []
    document, problems = read_yaml("f", b"a: ['no', \"007\", '1']")
    assert document is not None
    assert (document.value, problems) == ({"a": ["no", "007", "1"]}, [])


def test_every_value_knows_its_place() -> None:
    document, _ = read_yaml("f", b"a:\n  b: [x, y]\n  c:\n    - {d: 1}\n")
    assert document is not None
    assert document.marks == {
        (): (1, 1), ("a",): (1, 1), ("a", "b"): (2, 3), ("a", "b", 0): (2, 7), ("a", "b", 1): (2, 10),
        ("a", "c"): (3, 3), ("a", "c", 0): (4, 7), ("a", "c", 0, "d"): (4, 8),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "line", "message"),
    [
        (b"", 1, "the file is empty"),
        (b"# nothing\n", 1, "the file is empty"),
        (b"a: 1\nb: \xe9\n", 2, "not UTF-8"),
        ("a: é".encode("utf-16"), 1, "not UTF-8"),
        (b"a: 1\nb: \x07\n", 2, "control character"),
        (b"a: 1\n\tb: 2\n", 2, "not valid YAML"),
        (b"a: *nowhere\n", 1, "not valid YAML"),
        (b"a: " + b"x" * MAX_BYTES, 1, "larger than 512 KiB"),
        (b"[" * 5_000, 1, "nested deeper"),
        (b"{a: " * 5_000, 1, "nested deeper"),
    ],
)
def test_what_is_no_document(raw: bytes, line: int, message: str) -> None:
    document, problems = read_yaml("f", raw)
    assert document is None
    assert [(problem.line, message in problem.message) for problem in problems] == [(line, True)]


def test_a_byte_order_mark_does_not_matter() -> None:
    document, problems = read_yaml("f", "\ufeffa: é".encode())
    assert document is not None
    assert (document.value, problems) == ({"a": "é"}, [])


def test_anchors_within_bounds_work() -> None:
    document, problems = read_yaml("f", b"a: &x [1, 2]\nb: *x\n")
    assert document is not None
    assert (document.value, problems) == ({"a": [1, 2], "b": [1, 2]}, [])
