"""What is wrong with an event by the rule it falls under: expected fates as data, never exceptions.

Rules: a violation says what and where; the place is made of names the rule's owner chose, never of text a sender chose
(an unexpected property is told by the object it stands in); at most ``MAX_FOUND`` are told of one event.
Not handled here: how bad a violation is and what follows from it.
"""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from tamis.domain.event import Event

if TYPE_CHECKING:
    from tamis.domain.rules import CompiledRule

MAX_FOUND = 20


class ViolationKind(StrEnum):
    """A closed set: metric labels and audit text."""

    REQUIRED_MISSING = "required_missing"
    WRONG_TYPE = "wrong_type"
    ADDITIONAL_PROPERTY = "additional_property"
    BAD_VALUE = "bad_value"


class Violation(msgspec.Struct, frozen=True, gc=False):
    """One violation.

    Attributes:
        kind: see ``ViolationKind``.
        path: ``properties`` or deeper, keys as the rule names them; ``[]`` stands for any element of a list.
    """

    kind: ViolationKind
    path: str


Check = Callable[[Event], tuple[Violation, ...]]
Found = Iterator[Violation]


def no_violations(_event: Event) -> tuple[Violation, ...]:
    """The check of a rule without a schema."""
    return ()


def violations(event: Event, rule: "CompiledRule") -> tuple[Violation, ...]:
    """What is wrong with an event by the schema of its rule; empty when nothing is."""
    return rule.check(event)
