"""Decoder errors as values: reason and safe path.

Rules: msgspec names fields of our own types in its paths and writes ``[...]`` for keys a sender chose, so its paths are
safe to show; its messages can quote neither. A time that is no time is ``bad_time``, all else of a wrong form
``wrong_type``.
"""

import re

import msgspec

from tamis.domain.event import Invalid
from tamis.domain.outcome import InvalidReason

_PATH = re.compile(r" - at `\$([A-Za-z0-9_.\[\]]*)`\Z")

EMPTY = Invalid(InvalidReason.EMPTY.value)
NOT_UTF8 = Invalid(InvalidReason.NOT_UTF8.value)
NOT_JSON = Invalid(InvalidReason.NOT_JSON.value)
TOO_DEEP = Invalid(InvalidReason.TOO_DEEP.value)
TOO_LARGE = Invalid(InvalidReason.TOO_LARGE.value)
UNKNOWN = Invalid(InvalidReason.UNKNOWN_ENVELOPE.value)


def refuse(reason: InvalidReason, path: str) -> Invalid:
    """An Invalid at ``path``."""
    return Invalid(reason.value, path)


def wrong_type(error: msgspec.ValidationError, root: str = "$") -> Invalid:
    """A type error of msgspec, its path below ``root``."""
    found = _PATH.search(str(error))
    return Invalid(InvalidReason.WRONG_TYPE.value, root + found[1] if found else root)


def below(root: str, invalid: Invalid) -> Invalid:
    """The same refusal, its path below ``root`` instead of ``$``."""
    return Invalid(invalid.reason, root + invalid.path[1:])
