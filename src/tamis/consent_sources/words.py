"""What the words of a consent tool mean: a documented yes, a documented no, or neither.

Rules: only a documented yes grants; a documented no refuses; everything else (no choice, pending, implicit, null, an
unknown word) refuses too and is remembered as unclear. When one category comes twice the stricter word holds.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from tamis.domain.consent.model import Status, keep_stricter


class Choices:
    """Collects the choices of one statement.

    Args:
        words: lower-case word, or True and False -> status; any other is unclear.
    """

    def __init__(self, words: Mapping[Any, Status]) -> None:
        self._words = words
        self.found: dict[str, Status] = {}
        self.unclear: set[str] = set()

    def add(self, category: str, word: Any) -> None:
        """One category with the source's word for it."""
        known = word.lower() if isinstance(word, str) else word
        status = self._words.get(known) if isinstance(known, (str, bool)) else None
        if status is None:
            self.unclear.add(category)
            status = Status.DENIED
        keep_stricter(self.found, category, status)

    def add_all(self, pairs: Iterable[tuple[str, Any]]) -> "Choices":
        """Several of them."""
        for category, word in pairs:
            self.add(category, word)
        return self


YES_NO: Mapping[Any, Status] = {True: Status.GRANTED, False: Status.DENIED}
