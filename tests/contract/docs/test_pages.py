"""What the pages say can be done can be done: links lead somewhere, commands and settings exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tamis.settings_loader import known_fields, variable_name
from tests.support.command_lines import problem
from tests.support.pages import PAGES, ROOT, anchors, commands, links, variables

TARGETS = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
VARIABLES = {variable_name(name) for name in known_fields()}
EACH_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def test_there_are_pages() -> None:
    assert {"README.md", "CONTRIBUTING.md", "CHANGELOG.md"} <= {page.name for page in PAGES}


@EACH_PAGE
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        if "://" in link:
            continue
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@EACH_PAGE
def test_commands_exist(page: Path) -> None:
    for program, *words in commands(page):
        if program == "make":
            goals = [word for word in words if "=" not in word]
            assert set(goals) <= TARGETS, words
        elif words:
            assert problem(words) is None, (words, problem(words))


@EACH_PAGE
def test_settings_exist(page: Path) -> None:
    assert variables(page) <= VARIABLES


def test_every_page_is_in_the_index() -> None:
    index = ROOT / "docs/README.md"
    listed = {(index.parent / link.partition("#")[0]).resolve() for link in links(index)}
    for page in (ROOT / "docs").glob("*.md"):
        assert page in listed or page == index, page.name


def test_every_decision_is_in_its_index_and_has_a_bad_side() -> None:
    index = ROOT / "docs/adr/README.md"
    listed = set(links(index))
    decisions = sorted((ROOT / "docs/adr").glob("[0-9]*.md"))
    assert {decision.name for decision in decisions} == listed
    for decision in decisions:
        text = decision.read_text()
        assert re.search(r"^## Context", text, re.MULTILINE), decision.name
        assert re.search(r"^## Decision", text, re.MULTILINE), decision.name
        assert re.search(r"^(Bad|\*\*Bad|### Bad|- Bad)", text, re.MULTILINE), decision.name


def test_decisions_have_numbers_of_their_own() -> None:
    numbers = [path.name[:4] for path in (ROOT / "docs/adr").glob("[0-9]*.md")]
    assert sorted(numbers) == [f"{number:04}" for number in range(1, len(numbers) + 1)]
