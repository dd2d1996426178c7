"""The most frequent values of a stream, so that a list of bounded length can stand for all of them.

Rules: at most ``most`` values are listed at a time; a value not listed takes the place of the least frequent one once
it was seen twice as often, so that the list does not flutter; what is not listed is counted in ``4 * most`` counters
that are reused for newcomers.
Source: the counters are those of Metwally, Agrawal, El Abbadi: "Efficient computation of frequent and top-k elements in
data streams", ICDT 2005 (Space-Saving).
Not handled here: forgetting; what takes the place of values that are not listed.
"""

_WAITING = 4
_OFTENER = 2


class TopValues:
    """Keeps the list.

    Args:
        most: its length, at least 1.

    Attributes:
        left: what was seen of values while they were not listed.
    """

    __slots__ = ("_listed", "_most", "_waiting", "left")

    def __init__(self, most: int) -> None:
        self._most = most
        self._listed: dict[str, int] = {}
        self._waiting: dict[str, int] = {}
        self.left = 0

    def __contains__(self, value: str) -> bool:
        return value in self._listed

    def saw(self, value: str, n: int = 1) -> str | None:
        """``value`` was seen ``n`` times; the value whose place it took, None mostly."""
        listed = self._listed
        if value in listed:
            listed[value] += n
            return None
        if len(listed) < self._most:
            listed[value] = self._waiting.pop(value, 0) + n
            return None
        seen = self._wait(value, n)
        least = min(listed, key=listed.__getitem__)
        if seen <= _OFTENER * listed[least]:
            self.left += n
            return None
        listed[value] = self._waiting.pop(value)
        self._waiting[least] = listed.pop(least)
        return least

    def _wait(self, value: str, n: int) -> int:
        waiting = self._waiting
        before = waiting.pop(value, None)
        if before is None:
            before = 0
            if len(waiting) >= _WAITING * self._most:
                least = min(waiting, key=waiting.__getitem__)
                before = waiting.pop(least)
        waiting[value] = before + n
        return before + n
