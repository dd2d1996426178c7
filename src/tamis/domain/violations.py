"""What is wrong with an event by the rule it falls under: expected fates as data, never exceptions.

Rules: a violation says what and where; the place is made of names the rule's owner chose, never of text a sender chose
(an unexpected property is told by the object it stands in); at most ``MAX_FOUND`` are told of one event.
Not handled here: how bad a violation is and what follows from it (``domain.validation``).
"""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum

import msgspec

from tamis.domain.event import Event

MAX_FOUND = 20


class ViolationKind(StrEnum):
    """A closed set: metric labels and audit text.

    Of a rule's schema: REQUIRED_MISSING, WRONG_TYPE, ADDITIONAL_PROPERTY, BAD_VALUE. LATE: later than a destination of
    the event takes. OVER_CAP: beyond the cap of a rule. UNPLANNED: a tracked event without a rule. FUTURE: ahead of its
    receipt (``domain.validate``).
    """

    REQUIRED_MISSING = "required_missing"
    WRONG_TYPE = "wrong_type"
    ADDITIONAL_PROPERTY = "additional_property"
    BAD_VALUE = "bad_value"
    LATE = "late"
    OVER_CAP = "over_cap"
    UNPLANNED = "unplanned_event"
    FUTURE = "future"


class Severity(StrEnum):
    """What follows: an event with an ERROR is quarantined; with a WARNING or INFO it goes on and is counted."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


DEFAULTS: Mapping[str, str] = {
    ViolationKind.REQUIRED_MISSING: Severity.ERROR,
    ViolationKind.WRONG_TYPE: Severity.ERROR,
    ViolationKind.BAD_VALUE: Severity.ERROR,
    ViolationKind.ADDITIONAL_PROPERTY: Severity.WARNING,
    ViolationKind.UNPLANNED: Severity.WARNING,
    ViolationKind.LATE: Severity.WARNING,
    ViolationKind.OVER_CAP: Severity.INFO,
    ViolationKind.FUTURE: Severity.ERROR,
}
"""Severity of each kind where the policy and the rule say nothing. FUTURE cannot be changed: such an event would stay
"not late" for ever."""


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
