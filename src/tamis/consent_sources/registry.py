"""Which adapter reads a payload: detected from the payload, or fixed for the topic.

Rules: pure; never raises for any bytes; size and depth are bounded before an adapter sees the payload; adapters are
asked in the order of ``SOURCES`` and the first that claims the payload reads it. A new source is one file and one line.
"""

from typing import Any

import orjson

from tamis.consent_sources.canonical import Canonical
from tamis.consent_sources.cookiebot import Cookiebot
from tamis.consent_sources.didomi import Didomi
from tamis.consent_sources.fides import Fides
from tamis.consent_sources.ga4 import Ga4
from tamis.consent_sources.ketch import Ketch
from tamis.consent_sources.mparticle import MParticle
from tamis.consent_sources.onetrust import OneTrust
from tamis.consent_sources.rudderstack import RudderStack
from tamis.consent_sources.segment import Segment
from tamis.consent_sources.signals import Signals
from tamis.consent_sources.snowplow import Snowplow
from tamis.consent_sources.statement import ConsentSource, Entry, TextSource
from tamis.consent_sources.usercentrics import Usercentrics
from tamis.domain.event import Invalid
from tamis.domain.outcome import InvalidReason

# RudderStack's calls look like Segment's and are told by what they carry, so they are asked first.
SOURCES: tuple[ConsentSource, ...] = (
    Canonical(),
    Signals(),
    OneTrust(),
    Usercentrics(),
    Ketch(),
    Didomi(),
    Cookiebot(),
    Fides(),
    MParticle(),
    Snowplow(),
    Ga4(),
    RudderStack(),
    Segment(),
)
MAX_BYTES = 256 * 1024
MAX_DEPTH = 32


class ConsentReader:
    """Reads payloads of ``consent.raw``.

    Args:
        fixed: id of the only source the topic carries, None to detect it.
        mapped: sources that configuration describes; asked first, since somebody wrote them for this topic.

    Raises:
        ValueError: no source has that id.
    """

    __slots__ = ("_sources",)

    def __init__(self, fixed: str | None = None, mapped: tuple[ConsentSource, ...] = ()) -> None:
        self._sources = tuple(source for source in (*mapped, *SOURCES) if fixed in (None, source.id))
        if not self._sources:
            raise ValueError(f"unknown consent source {fixed!r}; known: {', '.join(s.id for s in SOURCES)}")

    def read(self, value: bytes | None) -> list[Entry] | Invalid:
        """The statements of one payload, each readable or not; ``Invalid`` when the payload as a whole is not.

        Args:
            value: the record's value as received.
        """
        body = body_of(value)
        if isinstance(body, Invalid):
            return self._text(value or b"", body)
        for source in self._sources:
            if source.claims(body):
                return source.read(body)
        return Invalid(InvalidReason.UNKNOWN_ENVELOPE, "$")

    def _text(self, value: bytes, why: Invalid) -> list[Entry] | Invalid:
        """What is no JSON may be a cookie's text; ``why`` when no source takes it."""
        if why.reason != InvalidReason.NOT_JSON:
            return why
        text = value.decode()  # NOT_JSON is said of UTF-8 alone
        for source in self._sources:
            if isinstance(source, TextSource) and source.claims_text(text):
                return source.read_text(text)
        return why


def body_of(value: bytes | None) -> dict[str, Any] | Invalid:
    """The JSON object that a payload is, or why it is none."""
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
