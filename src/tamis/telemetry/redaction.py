"""What of a log entry may be shown: an allow-list of keys, and of an exception its type and place.

Rules: a key that is not listed is withheld and counted; a value that is no plain text or number is shown by its type;
the message of an exception is shown only where its author vouches that it holds nothing of a sender's, since others
(``KeyError``, a decoder's) quote what they choked on; local variables are never shown.
Not handled here: the text of an entry itself, which must be a literal.
"""

import sys
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from traceback import extract_tb
from types import TracebackType
from typing import Any

_OWN = frozenset({"event", "level", "logger", "timestamp", "error", "where", "withheld"})
_FIELDS = frozenset({
    "applied", "behind", "bundle", "candidate", "changed", "count", "folder", "generation", "host", "kind", "offset",
    "partition", "partitions", "path", "port", "reason", "role", "roles", "seconds", "seq", "state", "topic",
    "version", "why",
})  # fmt: skip
ALLOWED = _OWN | _FIELDS
LONGEST = 500
_FRAMES = 8
_VOUCHED = ("tamis.", "aiokafka.errors", "faust.exceptions", "mode.exceptions", "lmdb")
_PLAIN = (bool, int, float, type(None))

Entry = MutableMapping[str, Any]


def only_allowed(_logger: object, _method: str, entry: Entry) -> Entry:
    """A structlog processor: withholds every key that is not listed, and makes values plain."""
    shown = {key: plain(entry[key]) for key in entry if key in ALLOWED}
    if withheld := len(entry) - len(shown):
        shown["withheld"] = withheld
    return shown


def exception_by_place(_logger: object, _method: str, entry: Entry) -> Entry:
    """A structlog processor: turns ``exc_info`` into ``error`` (types) and ``where`` (file, line, function)."""
    info = entry.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        entry["error"] = described(error)
        entry["where"] = " < ".join(_frames(error.__traceback__))
    return entry


def plain(value: object) -> Any:
    """A value as it may be shown."""
    if isinstance(value, BaseException):
        return described(value)
    if isinstance(value, (str, Path)):
        return str(value)[:LONGEST]
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(each) for each in value][:LONGEST]
    return f"<{type(value).__name__}>"


def described(error: BaseException) -> str:
    """An exception and its causes, by type, with the messages that are vouched for."""
    return " from ".join(_described(each) for each in _chain(error))[:LONGEST]


def _described(error: BaseException) -> str:
    kind = type(error)
    vouched = isinstance(error, OSError) or (
        f"{kind.__module__}.".startswith(_VOUCHED) and "Decode" not in kind.__name__
    )
    message = str(error) if vouched else ""
    return f"{kind.__name__}: {message}" if message else kind.__name__


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _frames(traceback: TracebackType | None) -> Iterator[str]:
    for frame in reversed(extract_tb(traceback)[-_FRAMES:]):
        yield f"{'/'.join(Path(frame.filename).parts[-3:])}:{frame.lineno} {frame.name}"
