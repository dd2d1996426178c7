"""Modules have names that say something and a docstring that states their rules."""

from __future__ import annotations

import ast
import re
import tomllib

from tests.support.tree import ROOT, python, text_of, tree_of

EMPTY_WORDS = frozenset({"util", "utils", "helper", "helpers", "manager", "managers", "data", "misc", "common", "core"})
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_package_files_are_empty() -> None:
    packages = [path for path in python("src") if path.name == "__init__.py"]
    assert packages
    assert [str(path) for path in packages if text_of(path)] == []


def test_every_folder_of_source_is_a_package() -> None:
    modules = python("src")
    folders = {path.parent for path in modules if path.parts[:2] == ("src", "tamis")}
    assert {str(folder) for folder in folders if folder / "__init__.py" not in modules} == set()


def test_no_module_is_named_after_nothing() -> None:
    named = [path for path in python("src") if EMPTY_WORDS & set(path.with_suffix("").parts[2:])]
    assert [str(path) for path in named] == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [p for p in python("src") if p.name != "__init__.py" and len(ast.get_docstring(tree_of(p)) or "") < 30]
    assert [str(path) for path in silent] == []


def test_tests_are_no_packages() -> None:
    assert [str(path) for path in python("tests") if path.name == "__init__.py"] == []


def test_every_part_of_the_source_has_its_layer() -> None:
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    placed = {name.strip() for layer in layers for name in re.split(r"[|:]", layer)}
    parts = {path.with_suffix("").parts[2] for path in python("src") if path.parts[:2] == ("src", "tamis")}
    assert {f"tamis.{part}" for part in parts - {"__init__"}} <= placed
