"""YAML text to a ``Document``: JSON values with a line and column for each, within bounds, all traps reported.

Rules: UTF-8, one document, at most ``MAX_BYTES``; mappings have text keys, none twice; no tags and no merge keys; the
depth and the number of values (anchors counted as often as they are used) are bounded before anything is built.
Scalars: ``bundles.scalars``. Syntax: YAML 1.1 as PyYAML reads it.
"""

from collections.abc import Iterator
from typing import Any

import yaml

from tamis.bundles.document import Document, Mark, Route
from tamis.bundles.problem import Problem
from tamis.bundles.scalars import plain

MAX_BYTES = 512 * 1024
MAX_DEPTH = 24
MAX_VALUES = 50_000

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(file: str, raw: bytes) -> tuple[Document | None, list[Problem]]:
    """The document, or None when nothing can be made of the text, and all problems found.

    Args:
        file: name for messages.
        raw: the file's bytes.
    """
    if len(raw) > MAX_BYTES:
        return None, [Problem(file, 1, None, f"larger than {MAX_BYTES // 1024} KiB")]
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return None, [Problem(file, line, None, "not UTF-8 text: save the file as UTF-8")]
    try:
        problems = list(_traps(file, text))
        if problems:
            return None, problems
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        return None, [_syntax(file, error)]
    except yaml.reader.ReaderError as error:
        return None, [_unreadable(file, text, error)]
    if node is None:
        return None, [Problem(file, 1, None, "the file is empty")]
    builder = _Builder(file)
    try:
        value = builder.build(node, (), 0)
    except _TooManyError:
        return None, [Problem(file, 1, None, f"more than {MAX_VALUES} values, or an anchor within itself")]
    return Document(file, value, builder.marks), builder.problems


def _syntax(file: str, error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    if error.context_mark and "end of stream" in (error.problem or ""):
        mark = error.context_mark  # where the quote or bracket was opened, not where the file ends
    cause = ", ".join(part for part in (error.context, error.problem) if part)
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return Problem(file, line, column, f"not valid YAML: {cause}")


def _unreadable(file: str, text: str, error: yaml.reader.ReaderError) -> Problem:
    position = error.position if isinstance(error.position, int) else 0
    line = text.count("\n", 0, position) + 1
    return Problem(file, line, None, "a control character that YAML does not allow")


def _traps(file: str, text: str) -> Iterator[Problem]:
    """What must be known before the tree is built: depth, tags, expansion by anchors."""
    depth = 0
    events: Iterator[Any] = yaml.parse(text, Loader=_Loader)
    for event in events:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                yield Problem(file, line, column, f"nested deeper than {MAX_DEPTH} levels")
                return
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None:
            yield Problem(file, line, column, f"YAML tags ({event.tag}) are not supported")


class _TooManyError(Exception):
    """Anchors multiply the values beyond the bound."""


class _Builder:
    """Makes values of nodes and notes where they stand."""

    def __init__(self, file: str) -> None:
        self.problems: list[Problem] = []
        self.marks: dict[Route, Mark] = {}
        self._file = file
        self._left = MAX_VALUES

    def build(self, node: yaml.Node, route: Route, depth: int) -> Any:
        """The value of a tree; raises ``_TooManyError`` beyond the bounds."""
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            raise _TooManyError
        self.marks.setdefault(route, (node.start_mark.line + 1, node.start_mark.column + 1))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, route, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*route, index), depth + 1) for index, item in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode)
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, route: Route, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.problems.append(self._problem(key, "a key must be text"))
            elif key.value == "<<" and not key.style:
                self.problems.append(self._problem(key, "merge keys (<<) are not supported: repeat the lines"))
            elif key.value in found:
                first = self.marks[(*route, key.value)][0]
                self.problems.append(self._problem(key, f'"{key.value}" stands here twice, first in line {first}'))
            else:
                self.marks[(*route, key.value)] = (key.start_mark.line + 1, key.start_mark.column + 1)
                found[key.value] = self.build(value, (*route, key.value), depth + 1)
        return found

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        if node.style:  # None or "" when plain, depending on the reader
            return node.value
        value, fault = plain(node.value)
        if fault:
            self.problems.append(self._problem(node, fault))
        return value

    def _problem(self, node: yaml.Node, message: str) -> Problem:
        return Problem(self._file, node.start_mark.line + 1, node.start_mark.column + 1, message)
