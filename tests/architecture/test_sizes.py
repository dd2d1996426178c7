"""A reader can hold a file, and a function, in the head."""

from __future__ import annotations

import ast
from statistics import median
from typing import TYPE_CHECKING

from tests.support.tree import functions, python, text_of, tree_of

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE_LINES = 300
FUNCTION_LINES = 40
MEDIAN_FILE_LINES = 150


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body, without the docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0


def _long_functions() -> Iterator[str]:
    for path in python("src"):
        for function in functions(tree_of(path)):
            if _length(function) > FUNCTION_LINES:
                yield f"{path}:{function.lineno} {function.name}: {_length(function)} lines"


def test_no_source_file_reaches_300_lines() -> None:
    lengths = {str(path): text_of(path).count("\n") for path in python("src")}
    assert {path: n for path, n in lengths.items() if n >= FILE_LINES} == {}
    assert median(n for n in lengths.values() if n) <= MEDIAN_FILE_LINES


def test_no_function_is_longer_than_40_lines() -> None:
    assert list(_long_functions()) == []


def test_the_measure_sees_a_long_function() -> None:
    source = 'def f():\n    """Doc."""\n' + "    x = 1\n" * 41
    (function,) = functions(ast.parse(source))
    assert _length(function) == 41
