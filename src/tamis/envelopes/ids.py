"""Ids as they were sent (text or whole number) to canonical ids, remembered because subjects repeat.

Rules: the memo holds at most ``MEMO_LIMIT`` short ids and starts over when full; it changes
cost, never an answer.
"""

from tamis.domain.identity import canonical

MEMO_LIMIT = 65_536
MEMO_CHARS = 64  # longer ids are rare and would let senders choose how much memory the memo takes


class IdMemo(dict[str | int, str | None]):
    """``memo[id as sent]`` is its canonical form, or None when it names nobody."""

    __slots__ = ()

    def __missing__(self, raw: str | int) -> str | None:
        text = str(raw)
        found = canonical(text)
        if len(text) <= MEMO_CHARS:
            if len(self) >= MEMO_LIMIT:
                self.clear()
            self[raw] = found
        return found

    def __repr__(self) -> str:
        return f"IdMemo({len(self)} ids)"


class SentIds(dict[str | int, str | None]):
    """``ids[id as sent]`` is the same as text, or None when it is empty: for showing what was sent."""

    __slots__ = ()

    def __missing__(self, raw: str | int) -> str | None:
        return str(raw) or None
