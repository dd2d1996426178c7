"""Regular expressions of rules: RE2, so that no pattern and no text takes more than linear time.

Rules: a pattern is short and compiles to a small program; a text longer than ``MAX_TEXT_CHARS`` does not match; text
that has no UTF-8 form is matched with its lone surrogates replaced. Source: RE2 (https://github.com/google/re2).
Not handled here: look-around and back-references, which no linear-time matcher has.
"""

import re
from collections.abc import Callable

import re2

MAX_PATTERN_CHARS = 256
MAX_PROGRAM = 4_000
MAX_TEXT_CHARS = 2_048

Search = Callable[[str], bool]
_PLAIN = re.compile(r"[A-Za-z0-9/_,:;=&%#@!~ -]+")


def _options() -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    return options


def pattern_fault(pattern: str) -> str | None:
    """Why this is not a usable pattern, or None when it is."""
    if len(pattern) > MAX_PATTERN_CHARS:
        return f"longer than {MAX_PATTERN_CHARS} characters"
    try:
        compiled = re2.compile(pattern, options=_options())
    except re2.error as error:
        cause = error.args[0] if error.args else b""
        return cause.decode(errors="replace") if isinstance(cause, bytes) else str(cause)
    except UnicodeEncodeError:
        return "not valid text"
    return "too large once compiled" if compiled.programsize > MAX_PROGRAM else None


def searcher(pattern: str) -> Search:
    """Whether the pattern occurs anywhere in a text.

    Raises:
        re2.error: ``pattern_fault`` tells why; bundles are checked first.
    """
    search = re2.compile(pattern, options=_options()).search
    prefix = literal_prefix(pattern)

    def found(text: str) -> bool:
        if not text.startswith(prefix):  # true of "": a tenth of the cost of a search that fails
            return False
        # Bytes spare the wrapper its work on character offsets.
        return len(text) <= MAX_TEXT_CHARS and search(text.encode("utf-8", "replace")) is not None

    return found


def literal_prefix(pattern: str) -> str:
    """Text with which everything begins that the pattern matches; "" when that is not plain to see."""
    if not pattern.startswith("^") or "|" in pattern:
        return ""
    plain = _PLAIN.match(pattern, 1)
    text = plain[0] if plain else ""
    return text[:-1] if pattern[1 + len(text) :][:1] in ("*", "?", "{") else text
