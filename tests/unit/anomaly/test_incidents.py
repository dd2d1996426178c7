"""Opening, telling again and closing: one incident at a time, no flapping."""

from __future__ import annotations

from math import inf

from tamis.anomaly.count_detector import Judgement
from tamis.anomaly.incidents import IncidentPolicy, Incidents, RuleFacts
from tamis.anomaly.season import Tier
from tamis.records.alert import Alert, decode_alert, encode_alert

FACTS = RuleFacts(owner="growth", sla="4h", runbook="https://runbooks.example/lead")


def _judged(score: float, observed: float = 5.0, surprise: float = -6.0, tier: int = Tier.WARM) -> Judgement:
    return Judgement(score, surprise if score else 0.0, 3, observed, 20.0, 15.0, 44.0, tier)


def _steps(incidents: Incidents, start: int, *judged: Judgement) -> list[Alert]:
    found = (incidents.step(start + i, each, FACTS) for i, each in enumerate(judged))
    return [alert for alert in found if alert is not None]


def test_an_incident_opens_once_and_closes_after_lasting_health() -> None:
    incidents = Incidents("shop/lead", IncidentPolicy())
    alerts = _steps(incidents, 100, _judged(0.49), _judged(0.5), *[_judged(0.55)] * 8, *[_judged(0.1, 18)] * 5)
    assert [alert.state for alert in alerts] == ["open", "closed"]
    opened, closed = alerts
    assert opened.id == closed.id == "shop/lead@101"
    assert (opened.kind, opened.severity, opened.owner, opened.sla) == ("drop", "page", "growth", "4h")
    assert opened.runbook == "https://runbooks.example/lead"
    assert (opened.opened_at, opened.detected_at) == (99 * 60_000, 102 * 60_000)
    assert closed.closed_at == 110 * 60_000
    assert closed.observed == 18
    assert incidents.open is None


def test_hovering_around_the_threshold_is_one_incident() -> None:
    incidents = Incidents("shop/lead", IncidentPolicy())
    hovering = [_judged(score) for score in (0.6, 0.2, 0.1, 0.5, 0.3, 0.3, 0.3, 0.3, 0.4, 0.6, 0.2)]
    assert [alert.state for alert in _steps(incidents, 100, *hovering)] == ["open"]


def test_worse_turned_and_long_are_told_again() -> None:
    incidents = Incidents("shop/lead", IncidentPolicy(repeat_minutes=30))
    worse = _steps(incidents, 100, _judged(0.5, 1.0), _judged(0.6), _judged(0.66, 5.0), _judged(0.7, 5.0))
    assert [(alert.state, alert.minute, alert.kind) for alert in worse] == [
        ("open", 100, "silent"),
        ("updated", 102, "drop"),
    ]
    turned = _steps(incidents, 104, _judged(0.7, 90.0, 6.0))
    assert [alert.kind for alert in turned] == ["spike"]
    lasting = _steps(incidents, 105, *[_judged(0.7, 90.0, 6.0)] * 60)
    assert [alert.minute for alert in lasting] == [134, 164]


def test_silence_that_flickers_is_told_once() -> None:
    incidents = Incidents("shop/lead", IncidentPolicy())
    flickering = [_judged(0.6, observed) for observed in (0.0, 0.3, 0.0, 2.0, 0.0)]
    assert [alert.kind for alert in _steps(incidents, 100, *flickering)] == ["silent"]


def test_kinds_and_severities() -> None:
    def first(judged: Judgement) -> Alert:
        return _steps(Incidents("a/b", IncidentPolicy()), 5, judged)[0]

    assert (first(_judged(0.6, 0.0)).kind, first(_judged(0.6, 0.0)).severity) == ("silent", "page")
    spike = first(_judged(0.6, 90.0, 6.0))
    assert (spike.kind, spike.severity) == ("spike", "ticket")
    assert first(_judged(0.6, tier=Tier.NONE)).severity == "ticket"


def test_a_band_without_upper_bound_can_be_written() -> None:
    unknown = Judgement(0.7, -6.0, 1, 0.0, 20.0, 10.0, inf, Tier.NONE)
    alert = _steps(Incidents("a/b", IncidentPolicy()), 5, unknown)[0]
    assert alert.high is None
    assert decode_alert(encode_alert(alert)) == alert


def test_after_a_close_a_new_incident_has_a_new_id() -> None:
    incidents = Incidents("a/b", IncidentPolicy())
    twice = [_judged(0.6), *[_judged(0.0)] * 5, _judged(0.6)]
    assert [alert.id for alert in _steps(incidents, 10, *twice)] == ["a/b@10", "a/b@10", "a/b@16"]
