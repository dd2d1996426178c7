"""The life of an incident: opened once, updated when it gets worse or lasts, closed after lasting health.

Rules: when an incident begins, ends or comes back is the stream's ``AlertPolicy``; a series has at most one open
incident of its counts; its id names the minute it was told in. News waits while the whole site may be failing
(``Surroundings``): it is part of the site's incident then and never told, unless it outlives it by ``AFTER_MINUTES``.
What is returned must be written, or dropped where the same minutes were already written (replay): the state is the
same either way.
"""

from enum import IntEnum
from math import isinf
from typing import Any

import msgspec

from tamis.anomaly.alert_policy import FLAP_S, HEALTHY, OPEN_SCORE, Change
from tamis.anomaly.count_detector import SILENT, Judgement
from tamis.anomaly.season import Tier
from tamis.anomaly.stream_detector import Verdict
from tamis.records.alert import Alert

MINUTE_MS = 60_000
RUNBOOK = "docs/runbooks/incident.md"
SPIKE, CLOSED = "spike", "closed"
HOLD_MINUTES = 2  # news waits so long for the site's own verdict
AFTER_MINUTES = 10
MERGE_MINUTES = 15  # told so shortly before the site's incident, it is part of it
PART_OF_SITE = "site"


class RuleFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the rule of a series besides its counts.

    Attributes:
        owner: team that is told.
        sla: free text.
        runbook: link or path.
        upstream: rule whose events precede this one's, empty for none.
        expected_by: local time of day by which an event is expected, empty for none.
        zone: time zone of ``expected_by``.
    """

    owner: str = ""
    sla: str = ""
    runbook: str = RUNBOOK
    upstream: str = ""
    expected_by: str = ""
    zone: str = "UTC"


class IncidentPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """When a lasting incident is told again.

    Attributes:
        worse_by: a score higher by this than the last one told is told.
        repeat_minutes: a lasting incident is told again after so many minutes.
    """

    worse_by: float = 0.15
    repeat_minutes: int = 60


class Site(IntEnum):
    """What the site of a series does in a minute."""

    CALM = 0
    DOUBTFUL = 1
    FAILING = 2


class Surroundings(msgspec.Struct, frozen=True, array_like=True):
    """What happens around a series in the present minute.

    Attributes:
        site: now.
        lately: the worst in the last ``AFTER_MINUTES`` minutes.
        cause: suspected cause, closed vocabulary.
    """

    site: Site = Site.CALM
    lately: Site = Site.CALM
    cause: str = ""


ALONE = Surroundings()


class IncidentState(msgspec.Struct, frozen=True, array_like=True):
    """The last alert told, and since which minute news waits (-1: none does)."""

    told: Alert | None = None
    waiting: int = -1
    absorbed: bool = False


def split_series(series: str) -> tuple[str, str]:
    """Site and rule of a series ``<site>/<rule>``."""
    site, _, rule = series.rpartition("/")
    return site, rule


class Incidents:
    """The incidents of one series.

    Args:
        series: "<site>/<rule>".
        policy: see ``IncidentPolicy``.
    """

    __slots__ = ("_policy", "_series", "state")

    def __init__(self, series: str, policy: IncidentPolicy) -> None:
        self._series = series
        self._policy = policy
        self.state = IncidentState()

    @property
    def open(self) -> Alert | None:
        """The last alert of the open incident."""
        told = self.state.told
        return None if told is None or told.state == CLOSED else told

    def adopt(self, told: Alert | None) -> None:
        """Take over what people saw last."""
        self.state = IncidentState(told)

    def step(self, minute: int, verdict: Verdict, facts: RuleFacts, around: Surroundings = ALONE) -> Alert | None:
        """Take one judged minute into account; an alert when there is something to tell."""
        change, state = verdict.change, self.state
        if change == Change.CLOSED:
            return self._close(minute, verdict.judgement)
        if change == Change.OPENED or (change == Change.REOPENED and state.absorbed):
            self.state = IncidentState(state.told, minute, absorbed=False)
        elif change == Change.MUTED:
            self.state = IncidentState(state.told)
        elif change == Change.REOPENED and state.told is not None and _just_closed(state.told, minute):
            return self._again(minute, verdict.judgement, state.told, closed_at=None)
        if self.state.waiting >= 0:
            return self._news(minute, verdict, facts, around)
        told = self.open
        if told is None:
            return None
        if around.site == Site.FAILING and minute - told.detected_at // MINUTE_MS < MERGE_MINUTES:
            self.state = IncidentState(None, minute, absorbed=True)
            closing = _told(told, minute, verdict.judgement, state=CLOSED, closed_at=(minute + 1) * MINUTE_MS)
            return msgspec.structs.replace(closing, cause=PART_OF_SITE)
        return self._go_on(told, minute, verdict.judgement)

    def _news(self, minute: int, verdict: Verdict, facts: RuleFacts, around: Surroundings) -> Alert | None:
        state = self.state
        if around.site == Site.FAILING:
            self.state = IncidentState(None, state.waiting, absorbed=True)
            return None
        held = around.site == Site.DOUBTFUL and minute - state.waiting < HOLD_MINUTES
        outlived = not state.absorbed or around.lately != Site.FAILING
        if held or not outlived or verdict.score < OPEN_SCORE:
            return None
        told = opened(self._series, minute, verdict.judgement, facts, cause=around.cause, channel=verdict.channel)
        self.state = IncidentState(told)
        return told

    def _close(self, minute: int, judgement: Judgement) -> Alert | None:
        told, absorbed = self.open, self.state.absorbed
        self.state = IncidentState(self.state.told, absorbed=absorbed)
        if told is None:
            return None
        ended = max((minute - HEALTHY + 1) * MINUTE_MS, told.opened_at)
        closed = _told(told, minute, judgement, state=CLOSED, closed_at=ended)
        self.state = IncidentState(closed)
        return closed

    def _again(self, minute: int, judgement: Judgement, told: Alert, **changes: Any) -> Alert:
        kind = kind_of(judgement) if judgement.score >= OPEN_SCORE else told.kind
        again = _told(told, minute, judgement, state="updated", kind=kind, **changes)
        self.state = IncidentState(again)
        return again

    def _go_on(self, told: Alert, minute: int, judgement: Judgement) -> Alert | None:
        policy = self._policy
        worse = judgement.score >= told.score + policy.worse_by
        turned = judgement.score >= OPEN_SCORE and (kind_of(judgement) == SPIKE) != (told.kind == SPIKE)
        if worse or turned or minute - told.minute >= policy.repeat_minutes:
            return self._again(minute, judgement, told)
        return None


def opened(
    series: str, minute: int, judgement: Judgement, facts: RuleFacts, *, cause: str = "", channel: str = "count"
) -> Alert:
    """The first alert of an incident."""
    return Alert(
        id=f"{series}@{minute}",
        state="open",
        series=series,
        kind=kind_of(judgement),
        channel=channel,
        severity=_severity(judgement),
        opened_at=(minute - max(judgement.window, 1) + 1) * MINUTE_MS,
        detected_at=(minute + 1) * MINUTE_MS,
        minute=minute,
        **_figures(judgement),
        owner=facts.owner,
        sla=facts.sla,
        runbook=facts.runbook,
        cause=cause,
    )


def kind_of(judgement: Judgement) -> str:
    """What is wrong: a spike, silence or a drop."""
    if judgement.surprise > 0.0:
        return SPIKE
    return "silent" if judgement.observed <= SILENT * judgement.low else "drop"


def _just_closed(told: Alert, minute: int) -> bool:
    return told.state == CLOSED and (minute - told.minute) * MINUTE_MS < FLAP_S * 1_000


def _told(alert: Alert, minute: int, judgement: Judgement, **changes: Any) -> Alert:
    return msgspec.structs.replace(alert, minute=minute, **_figures(judgement), **changes)


def _figures(judgement: Judgement) -> dict[str, Any]:
    return {
        "observed": round(judgement.observed, 3),
        "expected": round(judgement.expected, 3),
        "low": round(judgement.low, 3),
        "high": None if isinf(judgement.high) else round(judgement.high, 3),
        "score": round(judgement.score, 4),
    }


def _severity(judgement: Judgement) -> str:
    """A fall against a known season wakes somebody; a rise, or a fall against the mere level, waits for the morning."""
    return "page" if judgement.surprise < 0.0 and judgement.tier == Tier.WARM else "ticket"
