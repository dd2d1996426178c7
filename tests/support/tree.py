"""The files of the project: what git tracks, or in a copy without git all that is not made by a tool."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MADE = frozenset(
    {".git", ".venv", ".tools", ".mypy_cache", ".ruff_cache", ".import_linter_cache", ".hypothesis", ".pytest_cache"}
    | {"__pycache__", "build", "dist", "out", "work", "tamis.egg-info"}
)
BINARY = frozenset({".gz", ".png", ".ico", ".svg", ".lock", ".jpg", ".woff2"})


@cache
def files() -> tuple[Path, ...]:
    """Every file of the project, as paths below ``ROOT``."""
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode == 0 and listed.stdout:
        paths = [Path(name) for name in listed.stdout.split("\0") if name]
    else:
        paths = [path.relative_to(ROOT) for path in ROOT.rglob("*") if not MADE & set(path.relative_to(ROOT).parts)]
    return tuple(sorted(path for path in paths if (ROOT / path).is_file()))


def texts() -> list[Path]:
    """Files a person reads."""
    return [path for path in files() if path.suffix not in BINARY]


def python(top: str) -> list[Path]:
    """Python files below a top folder."""
    return [path for path in files() if path.suffix == ".py" and path.parts[0] == top]


@cache
def text_of(path: Path) -> str:
    """Contents of a file of the project."""
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


@cache
def tree_of(path: Path) -> ast.Module:
    """A Python file, parsed."""
    return ast.parse(text_of(path), str(path))


def functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All functions and methods of a file, also nested ones."""
    return [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
