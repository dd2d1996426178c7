"""The life of an incident: opened once, updated when it gets worse or lasts, closed after lasting health.

Rules: a series has at most one open incident; an incident is opened by a score of at least 0.5 and closed only by
``healthy_minutes`` minutes in a row below ``healthy_score``, so it cannot flap around the threshold; its id names the
minute it was noticed in, and a minute opens at most one. What is returned must be written, or dropped where the same
minutes were already written (replay): the state is the same either way.
Not handled here: grouping over series, alert budgets, suspected causes.
"""

from math import isinf
from typing import Any

import msgspec

from tamis.anomaly.count_detector import SILENT, Judgement
from tamis.anomaly.season import Tier
from tamis.records.alert import Alert

MINUTE_MS = 60_000
RUNBOOK = "docs/runbooks/incident.md"
SPIKE = "spike"


class RuleFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What an alert says about the rule of its series.

    Attributes:
        owner: team that is told.
        sla: free text.
        runbook: link or path.
    """

    owner: str = ""
    sla: str = ""
    runbook: str = RUNBOOK


class IncidentPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """When incidents open, are told again and close.

    Attributes:
        open_score: from here on, 0.5 is the detectors' threshold.
        healthy_score: below this a minute counts as healthy.
        healthy_minutes: so many in a row close.
        worse_by: a score higher by this than the last one told is told.
        repeat_minutes: a lasting incident is told again after so many minutes.
    """

    open_score: float = 0.5
    healthy_score: float = 0.35
    healthy_minutes: int = 5
    worse_by: float = 0.15
    repeat_minutes: int = 60


class OpenIncident(msgspec.Struct, frozen=True, array_like=True):
    """The last alert told, and the healthy minutes since the last bad one."""

    told: Alert
    healthy: int = 0


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

    __slots__ = ("_policy", "_series", "open")

    def __init__(self, series: str, policy: IncidentPolicy) -> None:
        self._series = series
        self._policy = policy
        self.open: OpenIncident | None = None

    def step(self, minute: int, judgement: Judgement, facts: RuleFacts) -> Alert | None:
        """Take one judged minute into account; an alert when there is something to tell."""
        if self.open is None:
            if judgement.score < self._policy.open_score:
                return None
            told = self._opened(minute, judgement, facts)
            self.open = OpenIncident(told)
            return told
        return self._go_on(self.open, minute, judgement)

    def _opened(self, minute: int, judgement: Judgement, facts: RuleFacts) -> Alert:
        return Alert(
            id=f"{self._series}@{minute}",
            state="open",
            series=self._series,
            kind=_kind(judgement),
            severity=_severity(judgement),
            opened_at=(minute - max(judgement.window, 1) + 1) * MINUTE_MS,
            detected_at=(minute + 1) * MINUTE_MS,
            minute=minute,
            **_figures(judgement),
            owner=facts.owner,
            sla=facts.sla,
            runbook=facts.runbook,
        )

    def _go_on(self, incident: OpenIncident, minute: int, judgement: Judgement) -> Alert | None:
        policy, told = self._policy, incident.told
        healthy = incident.healthy + 1 if judgement.score < policy.healthy_score else 0
        if healthy >= policy.healthy_minutes:
            self.open = None
            ended = (minute - healthy + 1) * MINUTE_MS
            return _told(told, minute, judgement, state="closed", closed_at=max(ended, told.opened_at))
        worse = judgement.score >= told.score + policy.worse_by
        turned = judgement.score >= policy.open_score and (_kind(judgement) == SPIKE) != (told.kind == SPIKE)
        if worse or turned or minute - told.minute >= policy.repeat_minutes:
            kind = _kind(judgement) if judgement.score >= policy.open_score else told.kind
            told = _told(told, minute, judgement, state="updated", kind=kind)
            self.open = OpenIncident(told, healthy)
            return told
        self.open = OpenIncident(told, healthy)
        return None


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


def _kind(judgement: Judgement) -> str:
    if judgement.surprise > 0.0:
        return SPIKE
    return "silent" if judgement.observed <= SILENT * judgement.low else "drop"


def _severity(judgement: Judgement) -> str:
    """A fall against a known season wakes somebody; a rise, or a fall against the mere level, waits for the morning."""
    return "page" if judgement.surprise < 0.0 and judgement.tier == Tier.WARM else "ticket"
