"""A parsed configuration file that still knows where each of its values stands.

Rules: a place is a document and the keys and indices that lead to a value; a place without a mark of its own speaks for
its nearest parent that has one.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from tamis.bundles.problem import Problem, Severity

Route = tuple[str | int, ...]
Mark = tuple[int, int]


class Document(msgspec.Struct, frozen=True):
    """One file.

    Attributes:
        file: relative to the configuration folder.
        value: what it says, as JSON values.
        marks: where each value (a member of a mapping: its key) begins: line and column, from 1.
    """

    file: str
    value: Any
    marks: dict[Route, Mark]


class Place(msgspec.Struct, frozen=True):
    """A value and where it stands."""

    document: Document
    route: Route
    value: Any

    def at(self, key: str | int) -> "Place":
        """The member or element ``key``; one that is not there has the value None."""
        inner = self.value
        value = inner.get(key) if isinstance(inner, dict) else None
        if isinstance(inner, list) and isinstance(key, int) and key < len(inner):
            value = inner[key]
        return Place(self.document, (*self.route, key), value)

    def members(self) -> "Iterator[tuple[str, Place]]":
        """Keys and members when it is a mapping, nothing otherwise."""
        if isinstance(self.value, dict):
            for key in self.value:
                yield key, self.at(key)

    def elements(self) -> "Iterator[Place]":
        """Elements when it is a list, nothing otherwise."""
        if isinstance(self.value, list):
            for index in range(len(self.value)):
                yield self.at(index)

    def texts(self) -> "Iterator[tuple[str, Place]]":
        """The texts among the elements."""
        for element in self.elements():
            if isinstance(element.value, str):
                yield element.value, element

    def text(self, key: str) -> str:
        """The text of member ``key``, "" when there is none."""
        found = self.value.get(key) if isinstance(self.value, dict) else None
        return found if isinstance(found, str) else ""

    def error(self, message: str) -> Problem:
        """An error here."""
        return self._problem(message, Severity.ERROR)

    def warning(self, message: str) -> Problem:
        """A warning here."""
        return self._problem(message, Severity.WARNING)

    def _problem(self, message: str, severity: Severity) -> Problem:
        route = self.route
        while route and route not in self.document.marks:
            route = route[:-1]
        line, column = self.document.marks.get(route, (1, 1))
        return Problem(self.document.file, line, column, message, severity)


def top(document: Document) -> Place:
    """The whole of a document."""
    return Place(document, (), document.value)
