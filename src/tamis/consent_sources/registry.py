"""Which adapter reads a payload: detected from the payload, or fixed for the topic.

Rules: pure; never raises for any bytes; size and depth are bounded before an adapter sees the payload; adapters are
asked in the order of ``SOURCES`` and the first that claims the payload reads it. A new source is one file and one line.
"""

from typing import Any

import orjson

from tamis.consent_sources.canonical import Canonical
from tamis.consent_sources.segment import Segment
from tamis.consent_sources.statement import ConsentSource, Entry
from tamis.domain.event import Invalid
from tamis.domain.outcome import InvalidReason

SOURCES: tuple[ConsentSource, ...] = (Canonical(), Segment())
MAX_BYTES = 256 * 1024
MAX_DEPTH = 32


class ConsentReader:
    """Reads payloads of ``consent.raw``.

    Args:
        fixed: id of the only source the topic carries, None to detect it.

    Raises:
        ValueError: no source has that id.
    """

    __slots__ = ("_sources", "_sure")

    def __init__(self, fixed: str | None = None) -> None:
        self._sources = tuple(source for source in SOURCES if fixed in (None, source.id))
        self._sure = fixed is not None
        if not self._sources:
            raise ValueError(f"unknown consent source {fixed!r}; known: {', '.join(s.id for s in SOURCES)}")

    def read(self, value: bytes | None) -> list[Entry] | Invalid:
        """The statements of one payload, each readable or not; ``Invalid`` when the payload as a whole is not.

        Args:
            value: the record's value as received.
        """
        body = _body(value)
        if isinstance(body, Invalid):
            return body
        for source in self._sources:
            if self._sure or source.claims(body):
                return source.read(body)
        return Invalid(InvalidReason.UNKNOWN_ENVELOPE, "$")


def _body(value: bytes | None) -> dict[str, Any] | Invalid:
    if not value:
        return Invalid(InvalidReason.EMPTY)
    if len(value) > MAX_BYTES:
        return Invalid(InvalidReason.TOO_LARGE)
    try:
        body = orjson.loads(value)
    except orjson.JSONDecodeError:
        return Invalid(_unreadable(value))
    if not isinstance(body, dict):
        return Invalid(InvalidReason.WRONG_TYPE)
    return Invalid(InvalidReason.TOO_DEEP) if _too_deep(body) else body


def _unreadable(value: bytes) -> InvalidReason:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return InvalidReason.NOT_UTF8
    return InvalidReason.TOO_DEEP if text.count("{") + text.count("[") > 1000 else InvalidReason.NOT_JSON  # noqa: PLR2004 - the parser's own limit is 1024


def _too_deep(body: dict[str, Any]) -> bool:
    level: list[Any] = [body]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, (dict, list))
        ]
        if not level:
            return False
    return True
