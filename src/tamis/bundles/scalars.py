"""What a plain YAML scalar means: the JSON values of YAML 1.2's core schema, and clear words about the rest.

Rules: ``true``, ``false``, ``null``, ``~``, nothing, decimal integers and decimal fractions have their meaning;
everything else is text. Spellings that other YAML readers take for something else (``yes``, ``off``, ``0o17``, ``007``,
``1_000``, ``.inf``) are refused, because whoever wrote them may have meant either. Quoted scalars are always text.
"""

import re
from typing import Any

_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "~": None, "": None}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z")
_FRACTION = re.compile(r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,3})?\Z")
_ODD_NUMBER = re.compile(
    r"[-+]?(?:0[0-9][0-9_]*|0o[0-7]+|0x[0-9a-fA-F]+|0b[01]+|[0-9]+_[0-9_]*|\.[0-9]+|\.inf|\.nan)\Z", re.IGNORECASE
)
_BOOLEAN_LIKE = frozenset(("yes", "no", "on", "off"))
MAX_DIGITS = 40


def plain(text: str) -> tuple[Any, str | None]:
    """The value of an unquoted scalar, and what is wrong with it, if anything."""
    if text in _WORDS:
        return _WORDS[text], None
    if len(text) <= MAX_DIGITS:
        if _INTEGER.match(text):
            return int(text), None
        if _FRACTION.match(text):
            value = float(text)
            return (value, None) if value - value == 0 else (text, f"{text} is too large a number")
    low = text.lower()
    if low in _BOOLEAN_LIKE or low in _WORDS:
        return text, f'{text} can be read as true or false: write "{text}" for the text, or true or false'
    if _ODD_NUMBER.match(text):
        return text, f'{text} can be read in several ways: write "{text}" for the text, or a plain decimal number'
    return text, None
