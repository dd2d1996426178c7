"""One site as a whole: an outage of all its series is one incident, told here and not by each of them.

Rules: the total of the site is judged like a series; its incident is told when the series fail together, budget or not;
what the site did in each of the last minutes is remembered for longer than a snapshot is old, so that a series that
is taken over later than its site hears what it would have heard then.
Not handled here: incidents of single series (``watch``), of several sites at once.
"""

from collections import Counter
from collections.abc import Callable

import msgspec

from tamis.anomaly.alert_policy import OPEN_SCORE, Change
from tamis.anomaly.causes import Causes, CausesState
from tamis.anomaly.incidents import (
    AFTER_MINUTES,
    SPIKE,
    IncidentPolicy,
    Incidents,
    IncidentState,
    RuleFacts,
    Site,
    Surroundings,
    kind_of,
)
from tamis.anomaly.stream_detector import MINUTE_S, StreamDetector, Verdict
from tamis.anomaly.together import SiteSeries, Together, TogetherState
from tamis.anomaly.versions import check_version
from tamis.records.alert import Alert

FactsOf = Callable[[str], RuleFacts]
NOBODY = RuleFacts()
WHOLE = "*"
REMEMBERED = 240  # minutes
MOST_MEMBERS = 10


class SiteSnapshot(msgspec.Struct, frozen=True, array_like=True):
    """The whole state of a ``SiteWatch``, version 1.

    Attributes:
        version: 1.
        next: offset of ``metrics.windows`` from which records are not in it.
        minute: last minute judged.
        detector: of the total, see ``StreamDetector.encode``.
        incident: of the whole site.
        series: counts of each series.
        causes: mix of outcomes.
        past: what the site did in each of the last minutes, one byte each.
    """

    version: int
    next: int
    minute: int
    detector: bytes
    incident: IncidentState
    series: TogetherState
    causes: CausesState
    past: bytes


SNAPSHOT_VERSION = 1


class SiteWatch:
    """One site.

    Args:
        site: its label.
        policy: when a lasting incident is told again.
    """

    __slots__ = ("_past", "causes", "detector", "fresh", "incidents", "minute", "next", "series")

    def __init__(self, site: str, policy: IncidentPolicy) -> None:
        self.detector = StreamDetector(MINUTE_S)
        self.incidents = Incidents(f"{site}/{WHOLE}", policy)
        self.series = SiteSeries()
        self.causes = Causes()
        self.next = 0
        self.minute = -1
        self.fresh = True
        self._past = bytearray()

    def close(self, minute: int, counts: dict[str, float], fates: dict[str, int], facts: FactsOf) -> Alert | None:
        """Judge a minute; an alert when there is something to tell of the whole site.

        Args:
            minute: epoch minute, later than the last one.
            counts: series of the site -> events.
            fates: cause they speak for -> events of the site.
            facts: rule id -> what its alerts say.
        """
        verdict = self.detector.observe(MINUTE_S * minute, sum(counts.values()))
        failing = self.incidents.open is not None
        self.series.learn(counts, levels=not (self.detector.policy.state.open or failing))
        together, members = self.series.judge() if self.detector.policy.state.open else (Together.APART, [])
        self.causes.learn(fates, usual=not self.detector.policy.state.open)
        around = Surroundings(cause=self.causes.suspect())
        alert = self.incidents.step(minute, _of_site(verdict, together), NOBODY, around)
        if alert is not None and alert.state == "open":
            alert = msgspec.structs.replace(
                alert, channel="site", affected=len(members), members=tuple(members[:MOST_MEMBERS]),
                owner=_owner(members, facts),
            )  # fmt: skip
            self.incidents.adopt(alert)
        self._remember(minute, self._status(together))
        return alert

    def around(self, minute: int) -> Surroundings:
        """What a series hears of its site in this minute."""
        at = len(self._past) - 1 - (self.minute - minute)
        if at < 0:
            return Surroundings(cause=self.causes.suspect())
        lately = max(self._past[max(0, at - AFTER_MINUTES) : at + 1])
        return Surroundings(Site(self._past[at]), Site(lately), self.causes.suspect())

    def forget_incidents(self) -> None:
        """After a history: nothing is open, nothing was told."""
        self.detector.forget_incidents()
        self.incidents.state = IncidentState()
        self._past.clear()

    def encode(self) -> SiteSnapshot:
        """The whole state."""
        return SiteSnapshot(
            SNAPSHOT_VERSION, self.next, self.minute, self.detector.encode(), self.incidents.state,
            self.series.encode(), self.causes.encode(), bytes(self._past),
        )  # fmt: skip

    def restore(self, state: SiteSnapshot) -> None:
        """Take over a snapshot.

        Raises:
            msgspec.DecodeError: a state inside it is none.
            ValueError: of another version.
        """
        check_version(state.version, SNAPSHOT_VERSION, "site snapshot")
        self.detector.restore(state.detector)
        self.incidents.state = state.incident
        self.series.restore(state.series)
        self.causes.restore(state.causes)
        self.next, self.minute, self._past = state.next, state.minute, bytearray(state.past)
        self.fresh = False

    def _status(self, together: Together) -> Site:
        if self.incidents.open is not None:
            return Site.FAILING
        return Site.DOUBTFUL if together != Together.APART else Site.CALM

    def _remember(self, minute: int, status: Site) -> None:
        if self.minute >= 0:
            self._past.extend(bytes(min(REMEMBERED, minute - self.minute - 1)))
        self._past.append(status)
        del self._past[:-REMEMBERED]
        self.minute = minute


def _of_site(verdict: Verdict, together: Together) -> Verdict:
    """The verdict as the site's incidents see it: nothing is news unless the series fail together, the same way."""
    rising = kind_of(verdict.judgement) == SPIKE
    joint = together == (Together.ROSE if rising else Together.FELL)
    change = Change.OPENED if verdict.change == Change.MUTED else verdict.change
    score = verdict.score if joint else min(verdict.score, OPEN_SCORE - 0.01)
    return verdict._replace(change=change, score=score)


def _owner(rules: list[str], facts: FactsOf) -> str:
    """Who owns most of the rules."""
    owners = Counter(owner for owner in (facts(rule).owner for rule in rules) if owner)
    return owners.most_common(1)[0][0] if owners else ""
