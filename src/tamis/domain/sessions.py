"""What one person did just before: sessions and caps, for sources whose records are keyed by subject.

Rules: a session is the events of one subject in one input partition with no pause longer than ``GAP_MS``, by time of
receipt; it is counted up in offset order, this event included. A cap lets a rule have so many events in a session or
UTC day; beyond it the rule does not match and the next one is tried. An event that names nobody has no session:
conditions on it are false and a rule with a cap does not match.
State is bounded (``MAX_SUBJECTS`` a partition, the one seen longest ago goes first) and lives with the partition:
offsets that do not follow on from the last batch (a take-over, a restart) begin it anew. Until one ``GAP_MS`` after
that, a session may have begun unseen: its values are unknown (None), so conditions on it are false; caps count from the
take-over.
Not handled here: subjects whose records stand in several partitions (``tamis check`` asks for the declaration).
"""

from collections import OrderedDict
from collections.abc import Callable

import msgspec

from tamis.domain.event import Event, Kind
from tamis.domain.rules import CompiledRule, RuleSet
from tamis.domain.session import Session

GAP_MS = 30 * 60_000
DAY_MS = 86_400_000
MAX_SUBJECTS = 50_000

Matcher = Callable[[Event, int], CompiledRule | None]
Sound = Callable[[CompiledRule, Event], bool]
SubjectOf = Callable[[str | None, str | None], str]


class Sessions:
    """The subjects of one input partition.

    Attributes:
        next: offset that follows the last one seen.
    """

    __slots__ = ("_since", "_subjects", "next")

    def __init__(self) -> None:
        self.next = -1
        self._since: int | None = None
        self._subjects: OrderedDict[str, Session] = OrderedDict()

    def see(self, subject: str, kind: str, now: int) -> Session:
        """Counts an event of a subject received at ``now`` (ms) and gives its session."""
        if self._since is None:
            self._since = now
        found = self._subjects.get(subject)
        if found is None:
            found = Session(now, now, whole=now - self._since >= GAP_MS, used={}, used_today={})
            self._add(subject, found)
        else:
            self._subjects.move_to_end(subject)
            if now - found.last > GAP_MS:
                found.began, found.whole, found.events, found.pages, found.used = now, True, 0, 0, {}
        found.last = now
        found.events += 1
        found.pages += kind == Kind.PAGE
        if found.day != now // DAY_MS:
            found.day, found.used_today = now // DAY_MS, {}
        return found

    def _add(self, subject: str, session: Session) -> None:
        if len(self._subjects) >= MAX_SUBJECTS:
            _, gone = self._subjects.popitem(last=False)
            self._since = max(self._since or 0, gone.last)  # a subject that is not known may be this one
        self._subjects[subject] = session

    def __len__(self) -> int:
        return len(self._subjects)


class SessionBook:
    """The sessions of all partitions of one process; a later bundle goes on with them.

    Attributes:
        over: rule of which the event just matched is beyond the cap, "" for none.
    """

    __slots__ = ("_partitions", "over")

    def __init__(self) -> None:
        self._partitions: dict[int, Sessions] = {}
        self.over = ""

    def partition(self, number: int, first: int, after: int) -> Sessions:
        """The sessions of a partition at the beginning of a batch that covers ``[first, after)``."""
        found = self._partitions.get(number)
        if found is None or found.next != first:
            found = self._partitions[number] = Sessions()
        found.next = after
        return found

    def matcher(
        self, rules: RuleSet, number: int, span: tuple[int, int], subject_of: SubjectOf, sound: Sound
    ) -> Matcher | None:
        """Finds the rule of an event received at a time (ms), in its session; None when no rule looks at sessions.

        Args:
            rules: a conversion of one with a cap is counted.
            number: of the partition.
            span: offsets of the batch, ``[first, next)``.
            subject_of: (user id, anonymous id) -> subject key, "" for nobody.
            sound: whether an event is not refused for what its rule demands: only such conversions are counted.
        """
        if not rules.in_session:
            return None
        match, see = rules.match, self.partition(number, *span).see

        def found(event: Event, now: int) -> CompiledRule | None:
            subject = subject_of(event.user_id, event.anonymous_id)
            self.over = ""
            if not subject:
                return match(event)
            session = see(subject, event.kind, now)
            session.over = ""
            compiled = match(msgspec.structs.replace(event, session=session))
            self.over = session.over
            if compiled is not None and compiled.rule.cap is not None and sound(compiled, event):
                session.spend(compiled.rule.id)
            return compiled

        return found
