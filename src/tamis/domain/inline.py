"""Consent stated inside an event, reduced to what it forbids.

Rules: an inline signal may narrow and never widens: only an explicit "not granted" for a category that the policy maps
to a purpose forbids that purpose; a malformed signal forbids every purpose; categories the policy does not know forbid
nothing and grant nothing.
"""

from collections.abc import Mapping

import msgspec

from tamis.domain.event import InlineConsent

MAX_CACHED = 10_000
MAX_CACHED_CHARS = 512


class Narrowing(msgspec.Struct, frozen=True):
    """What an inline signal forbids.

    Attributes:
        id: small number for caches; 0 is "forbids nothing".
        denied: purposes.
        malformed: every purpose.
        text: for the leaf: "-", "malformed" or the denied purposes joined by commas.
    """

    id: int
    denied: frozenset[str]
    malformed: bool
    text: str


NOTHING = Narrowing(0, frozenset(), False, "-")
MALFORMED = Narrowing(1, frozenset(), True, "malformed")


class InlineSignals:
    """Maps inline consent to ``Narrowing``, equal ones to the same object.

    Args:
        aliases: vendor category -> canonical purpose.
    """

    __slots__ = ("_aliases", "_by_denied", "_by_items")

    def __init__(self, aliases: Mapping[str, str]) -> None:
        self._aliases = aliases
        self._by_items: dict[tuple[tuple[str, bool], ...], Narrowing] = {}
        self._by_denied: dict[frozenset[str], Narrowing] = {frozenset(): NOTHING}

    def narrowing(self, consent: InlineConsent | None) -> Narrowing:
        """What ``consent`` forbids; no signal forbids nothing."""
        if consent is None:
            return NOTHING
        if consent.malformed:
            return MALFORMED
        items = tuple(consent.choices.items())
        known = self._by_items.get(items)
        return known if known is not None else self._add(items)

    def _add(self, items: tuple[tuple[str, bool], ...]) -> Narrowing:
        denied = frozenset(
            self._aliases[category] for category, granted in items if granted is not True and category in self._aliases
        )
        found = self._by_denied.get(denied)
        if found is None:
            text = ",".join(sorted(denied))
            found = self._by_denied[denied] = Narrowing(len(self._by_denied) + 1, denied, False, text)
        if sum(len(category) for category, _ in items) <= MAX_CACHED_CHARS:
            if len(self._by_items) >= MAX_CACHED:
                self._by_items.clear()
            self._by_items[items] = found
        return found
