"""One watched series: its detectors, its incidents, and the snapshot a new owner goes on from.

Rules: a conversion is judged with its upstream step from the first minute on in which that step had events; another
upstream step begins anew; an absence is told unless an incident of the counts or of the site says the same already.
Everything follows from the series' own state, its counts and what it hears of its site, so it can be replayed alone.
"""

from typing import NamedTuple

import msgspec

from tamis.anomaly.absence import AbsenceDetector
from tamis.anomaly.incidents import MINUTE_MS, IncidentPolicy, Incidents, IncidentState, RuleFacts, Site, Surroundings
from tamis.anomaly.stream_detector import MINUTE_S, StreamDetector, Verdict
from tamis.anomaly.versions import check_version
from tamis.records.alert import Alert

SNAPSHOT_VERSION = 2
ABSENT = "absent"


class SeriesSnapshot(msgspec.Struct, frozen=True, array_like=True):
    """What a new owner needs to go on with a series.

    Attributes:
        version: 2.
        next: offset of ``metrics.windows`` from which records are not in it.
        seen: last minute with events.
        minute: last minute judged.
        detector: see ``StreamDetector.encode``.
        upstream: rule of the step before, empty for none.
        incident: of the counts.
        absence: see ``AbsenceDetector.encode``; empty without expected time.
        absent: last alert of an absence.
    """

    version: int
    next: int
    seen: int
    minute: int
    detector: bytes
    upstream: str
    incident: IncidentState
    absence: bytes
    absent: Alert | None


class Minute(NamedTuple):
    """One minute of a series: its events, those of its upstream step (None: none in this minute), and its site."""

    minute: int
    events: float
    upstream: float | None
    around: Surroundings


class Watch:
    """One series.

    Args:
        series: "<site>/<rule>".
        policy: when a lasting incident is told again.
    """

    __slots__ = ("_absence", "_expected", "_series", "_upstream", "absent", "detector", "fresh", "incidents", "minute",
                 "next", "seen", "verdict")  # fmt: skip

    def __init__(self, series: str, policy: IncidentPolicy) -> None:
        self._series = series
        self.detector = StreamDetector(MINUTE_S, judge_upstream=False)
        self.incidents = Incidents(series, policy)
        self._upstream = ""
        self._absence: AbsenceDetector | None = None
        self._expected = b""
        self.absent: Alert | None = None
        self.next = 0
        self.seen = self.minute = -1
        self.fresh = True
        self.verdict = Verdict()

    def step(self, at: Minute, facts: RuleFacts) -> list[Alert]:
        """Judge one minute; what there is to tell."""
        if facts.upstream != self._upstream:
            self.detector.forget_upstream()
            self._upstream = facts.upstream
        upstream = at.upstream
        if upstream is None and self.detector.has_upstream:
            upstream = 0.0
        if at.events:
            self.seen = at.minute
        self.minute = at.minute
        verdict = self.verdict = self.detector.observe(MINUTE_S * at.minute, at.events, upstream)
        told = self.incidents.step(at.minute, verdict, facts, at.around)
        absent = self._absent(at, facts)
        return [alert for alert in (told, absent) if alert is not None]

    def forget_incidents(self) -> None:
        """After a history: nothing is open, nothing was told."""
        self.detector.forget_incidents()
        self.incidents.state = IncidentState()
        self.absent = None

    def encode(self) -> SeriesSnapshot:
        """The whole state."""
        absence = self._expected if self._absence is None else self._absence.encode()
        return SeriesSnapshot(
            SNAPSHOT_VERSION, self.next, self.seen, self.minute, self.detector.encode(), self._upstream,
            self.incidents.state, absence, self.absent,
        )  # fmt: skip

    def restore(self, snapshot: SeriesSnapshot) -> None:
        """Take over a snapshot.

        Raises:
            msgspec.DecodeError: a state inside it is none.
            ValueError: of another version.
        """
        check_version(snapshot.version, SNAPSHOT_VERSION, "snapshot")
        self.detector.restore(snapshot.detector)
        self._upstream = snapshot.upstream
        self.incidents.state, self.absent = snapshot.incident, snapshot.absent
        self._expected = snapshot.absence
        self.next, self.seen, self.minute = snapshot.next, snapshot.seen, snapshot.minute
        self.fresh = False

    def _absent(self, at: Minute, facts: RuleFacts) -> Alert | None:
        detector = self._expecting(facts)
        if detector is None:
            return self._came(at) if self.absent is not None and (at.events or not facts.expected_by) else None
        missing = detector.observe(MINUTE_S * at.minute, at.events) > 0.0
        if at.events:
            return self._came(at)
        if not missing or self.absent is not None:
            return None
        if self.detector.policy.state.open or at.around.lately == Site.FAILING:
            return None
        self.absent = Alert(
            id=f"{self._series}@{at.minute}/{ABSENT}", state="open", series=self._series, kind=ABSENT,
            channel="absence", severity="ticket", opened_at=(self.seen + 1) * MINUTE_MS,
            detected_at=(at.minute + 1) * MINUTE_MS, minute=at.minute, observed=0.0, expected=1.0, low=1.0, high=None,
            score=1.0, owner=facts.owner, sla=facts.sla, runbook=facts.runbook, cause=at.around.cause,
        )  # fmt: skip
        return self.absent

    def _came(self, at: Minute) -> Alert | None:
        told, self.absent = self.absent, None
        if told is None:
            return None
        return msgspec.structs.replace(
            told, state="closed", minute=at.minute, observed=at.events, score=0.0, closed_at=at.minute * MINUTE_MS
        )

    def _expecting(self, facts: RuleFacts) -> AbsenceDetector | None:
        """The absence detector for what the rule expects now; another time or zone keeps what is known of the days."""
        if not facts.expected_by:
            self._absence, self._expected = None, b""
            return None
        found = self._absence
        if found is None or found.expected_by != facts.expected_by or found.zone != facts.zone:
            known = self._expected if found is None else found.encode()
            found = self._absence = AbsenceDetector(facts.expected_by, facts.zone)
            if known:
                found.restore(known)
        return found
