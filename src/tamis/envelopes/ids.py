"""Ids as they were sent (text or whole number) to canonical ids, remembered because subjects repeat.

Rules: the memo holds at most ``MEMO_LIMIT`` ids, none longer than an id may be, and starts over when full; it changes
cost, never an answer.
"""

from tamis.domain.identity import MAX_ID_CHARS, canonical

MEMO_LIMIT = 65_536


class IdMemo(dict[str | int, str | None]):
    """``memo[id as sent]`` is its canonical form, or None when it names nobody."""

    __slots__ = ()

    def __missing__(self, raw: str | int) -> str | None:
        text = str(raw)
        found = canonical(text)
        if len(text) <= MAX_ID_CHARS:
            if len(self) >= MEMO_LIMIT:
                self.clear()
            self[raw] = found
        return found

    def __repr__(self) -> str:
        return f"IdMemo({len(self)} ids)"
