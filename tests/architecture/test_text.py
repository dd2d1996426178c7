"""What no file of the project holds: unfinished places, paths of one machine, hosts of package registries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.tree import text_of, texts

if TYPE_CHECKING:
    from pathlib import Path

# Put together from pieces, so that this file does not hold what it looks for.
UNFINISHED = r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b|\bNotImplemented" r"Error\b|(?i:not implemented" r" yet)"
MACHINE = r"(?<![\w.}$-])/(?:wo" r"rk|fa" r"rm|ro" r"ot|home/[a-z]|Users/[a-z])[\w-]*/"
REGISTRY = (
    r"(?i)\b(?:(?:test\.|upload\.)?py" r"pi\.org|files\.python" r"hosted\.org|repo1?\.mav" r"en\.|registry\.npm"
    r"js\.|(?:static\.|index\.)?crates\." r"io|proxy\.go" r"lang\.org|(?:deb|security)\.deb" r"ian\.org)"
)  # fmt: skip
MAKERS = r"(?i)\b(?:chat" r"gpt|open" r"ai|anthro" r"pic|clau" r"de|co" r"pilot)\b"


def _found(pattern: str, paths: list[Path]) -> list[str]:
    expression = re.compile(pattern)
    return [
        f"{path}:{number} {match[0]}"
        for path in paths
        for number, line in enumerate(text_of(path).splitlines(), 1)
        for match in [expression.search(line)]
        if match
    ]


@pytest.mark.parametrize("name", ["UNFINISHED", "MACHINE", "REGISTRY", "MAKERS"])
def test_no_file_holds(name: str) -> None:
    assert _found(globals()[name], texts()) == []


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (UNFINISHED, "# TO" + "DO: later"),
        (UNFINISHED, "raise NotImplemented" + "Error"),
        (MACHINE, "path = '/wo" + "rk/main/x'"),
        (MACHINE, "/home/" + "ada/project"),
        (REGISTRY, "https://py" + "pi.org/simple"),
        (REGISTRY, "https://repo.mav" + "en.apache.org/maven2"),
        (MAKERS, "made with Chat" + "GPT"),
    ],
)
def test_the_patterns_find_what_they_are_for(pattern: str, line: str) -> None:
    assert re.search(pattern, line)


@pytest.mark.parametrize("line", ["a framework/x", "${HOME}/wo" + "rk/", "the placeholder id", "src/wo" + "rk/x"])
def test_the_patterns_leave_other_lines_alone(line: str) -> None:
    assert not any(re.search(pattern, line) for pattern in (UNFINISHED, MACHINE, REGISTRY, MAKERS))


def test_every_text_file_is_utf8_and_ends_with_a_line_break() -> None:
    broken = [str(path) for path in texts() if "\ufffd" in text_of(path) and path.suffix == ".py"]
    unended = [str(path) for path in texts() if path.suffix == ".py" and text_of(path) and text_of(path)[-1] != "\n"]
    assert (broken, unended) == ([], [])
