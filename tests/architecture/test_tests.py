"""Every test can fail: it asserts something, itself or through a function of its file."""

from __future__ import annotations

import ast
import re

from tests.support.tree import functions, python, tree_of

CHECKING = re.compile(r"^(assert_|check_|expect_|verify_)|^(raises|warns|fail|check|run_state_machine_as_test)$")


def _called(node: ast.AST) -> set[str]:
    """Last names of everything a function calls."""
    calls = [call.func for call in ast.walk(node) if isinstance(call, ast.Call)]
    return {f.attr if isinstance(f, ast.Attribute) else f.id for f in calls if isinstance(f, (ast.Attribute, ast.Name))}


def _asserts(function: ast.AST, others: dict[str, ast.AST], seen: frozenset[str] = frozenset()) -> bool:
    if any(isinstance(node, ast.Assert) for node in ast.walk(function)):
        return True
    called = _called(function)
    if any(CHECKING.search(name) for name in called):
        return True
    return any(_asserts(others[name], others, seen | {name}) for name in called & set(others) - seen)


def _idle(tree: ast.Module) -> list[str]:
    found = functions(tree)
    others: dict[str, ast.AST] = {function.name: function for function in found}
    return [f.name for f in found if f.name.startswith("test_") and not _asserts(f, others)]


def test_no_test_is_without_an_assertion() -> None:
    files = [path for path in python("tests") if path.name.startswith("test_")]
    assert files
    assert {str(path): _idle(tree_of(path)) for path in files if _idle(tree_of(path))} == {}


def test_an_idle_test_is_seen() -> None:
    source = (
        "def test_a():\n    f()\ndef f():\n    g()\ndef g():\n    f()\ndef test_b():\n    h()\ndef h():\n    assert x\n"
    )
    assert _idle(ast.parse(source)) == ["test_a"]


def test_no_test_is_switched_off() -> None:
    marks = [
        f"{path}:{node.lineno}"
        for path in python("tests")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute)
        and node.attr in {"skip", "xfail"}
        and ast.unparse(node.value) == "pytest.mark"
    ]
    assert marks == []
