"""One person's session as conditions and caps see it.

Rules: plain counts. Who keeps them and when they end: ``domain.sessions``.
"""

import msgspec

KEYS = ("events", "pages", "seconds")
PER = ("session", "day")


class Session(msgspec.Struct):
    """One subject's present session and its capped conversions.

    Attributes:
        began, last: times of receipt of its first and latest event, ms.
        whole: whether its beginning was seen.
        events: so far, the present one included.
        pages: page calls among them.
        used: rule id -> conversions in this session.
        day: number of the UTC day ``used_today`` is about.
        used_today: rule id -> conversions on that day.
        over: rule of which the event just matched is beyond the cap, "" for none.
    """

    began: int
    last: int
    whole: bool
    events: int = 0
    pages: int = 0
    used: dict[str, int] = {}
    day: int = -1
    used_today: dict[str, int] = {}
    over: str = ""

    def read(self, key: str) -> int | None:
        """``session.<key>``: events, pages or seconds so far; None while the beginning is unknown."""
        if not self.whole:
            return None
        if key == "seconds":
            return (self.last - self.began) // 1000
        return self.pages if key == "pages" else self.events

    def spent(self, rule: str, per: str) -> int:
        """Conversions of a rule in this session, or on this day."""
        return (self.used if per == "session" else self.used_today).get(rule, 0)

    def spend(self, rule: str) -> None:
        """Counts a conversion of a rule with a cap."""
        self.used[rule] = self.used.get(rule, 0) + 1
        self.used_today[rule] = self.used_today.get(rule, 0) + 1
