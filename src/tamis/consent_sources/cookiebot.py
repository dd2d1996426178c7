"""Cookiebot: the text of its CookieConsent cookie.

Rules: the text is no JSON (keys without quotes, texts in single quotes), perhaps percent-encoded; only ``true`` under
``method: 'explicit'`` is a yes: with any other method (``implied``) what is not refused is unclear. The stamp is a
device's id and may hold / + =. ``utc`` is in milliseconds. Source: Cookiebot support, "CookieConsent cookie".
"""

import re
from typing import Any
from urllib.parse import unquote

from tamis.consent_sources import fields
from tamis.consent_sources.statement import Entry, Statement
from tamis.consent_sources.words import YES_NO, Choices

_PAIR = re.compile(r"([a-z]+):(?:'([^']*)'|(true|false)|(-?\d{1,18}))", re.ASCII)
_CATEGORIES = ("necessary", "preferences", "statistics", "marketing")


class Cookiebot:
    """Reads the cookie."""

    id = "cookiebot"

    def claims(self, body: dict[str, Any]) -> bool:
        """Never: the cookie is no JSON."""
        del body
        return False

    def read(self, body: dict[str, Any]) -> list[Entry]:
        """Nothing: the cookie is no JSON."""
        del body
        return []

    def claims_text(self, text: str) -> bool:
        """Whether it is the text of the cookie."""
        return text.startswith(("{stamp:", "%7Bstamp%3A", "%7bstamp%3a", "%7Bstamp:"))

    def read_text(self, text: str) -> list[Entry]:
        """The cookie's statement."""
        plain = text if text.startswith("{") else unquote(text)
        pairs: dict[str, Any] = {}
        for key, quoted, flag, number in _PAIR.findall(plain):
            pairs[key] = flag == "true" if flag else int(number) if number else quoted
        return [fields.attempt(_statement, pairs)]


def _statement(pairs: dict[str, Any]) -> Statement:
    explicit = pairs.get("method") == "explicit"
    choices = Choices(YES_NO)
    for category in _CATEGORIES:
        said = pairs.get(category)
        choices.add(category, said if said is False or explicit or category == "necessary" else None)
    return Statement(
        source=Cookiebot.id,
        choices=choices.found,
        unclear=frozenset(choices.unclear),
        device=fields.identity(pairs.get("stamp"), "$.stamp"),
        effective_at=fields.moment(pairs.get("utc"), "$.utc"),
        jurisdiction=fields.label(pairs.get("region")),
    )
