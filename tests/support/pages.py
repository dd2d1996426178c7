"""The hand-written pages of the project, taken apart: links, shell commands, names of settings.

Rules: every Markdown file of the checkout outside hidden folders counts; code blocks marked `sh` or `console` hold
commands, one a line; a backslash at the end of a line joins it with the next, `#` starts a comment.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("config/**/*.md"), *ROOT.glob("deploy/**/*.md")]
)
_BLOCK = re.compile(r"^```(?:sh|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(tamis(?: [^`]+)?|make(?: [^`]+)?)`")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_VARIABLE = re.compile(r"\bTAMIS_[A-Z0-9]+__[A-Z0-9_]+\b")


def links(page: Path) -> list[str]:
    """Targets of the links of a page, outside code blocks."""
    return _LINK.findall(_FENCED.sub("", page.read_text()))


def anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, as web views of repositories make them."""
    found = set()
    for heading in _HEADING.findall(_FENCED.sub("", page.read_text())):
        plain = re.sub(r"[`*]|\[|\]\([^)]*\)", "", heading).strip().lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return found


def commands(page: Path) -> list[list[str]]:
    """Commands of `tamis` and `make` that a page tells its reader to run, as words."""
    text = page.read_text()
    lines = [line for block in _BLOCK.findall(text) for line in block.replace("\\\n", " ").splitlines()]
    lines += [found for found in _INLINE.findall(_FENCED.sub("", text)) if "|" not in found and "…" not in found]
    split = [shlex.split(line.removeprefix("$ "), comments=True) for line in lines]
    return [_own(words) for words in split if _own(words)]


def _own(words: list[str]) -> list[str]:
    """The part of a shell line that is ours: without variables before it and pipes after it."""
    while words and re.match(r"[A-Z_]+=", words[0]):
        words = words[1:]
    for stop in ("|", ">", ">>", "&&", "<", "&"):
        if stop in words:
            words = words[: words.index(stop)]
    if not words or Path(words[0]).name not in {"tamis", "make"}:
        return []
    return [Path(words[0]).name, *words[1:]]


def variables(page: Path) -> set[str]:
    """Environment variables of settings that a page names."""
    return set(_VARIABLE.findall(page.read_text()))
