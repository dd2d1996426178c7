"""Opening, telling again and closing: one incident at a time, no flapping."""

from __future__ import annotations

from math import inf

from tamis.anomaly.alert_policy import AlertPolicy
from tamis.anomaly.count_detector import Judgement
from tamis.anomaly.incidents import ALONE, IncidentPolicy, Incidents, RuleFacts, Site, Surroundings
from tamis.anomaly.season import Tier
from tamis.anomaly.stream_detector import Verdict
from tamis.records.alert import Alert, decode_alert, encode_alert

FACTS = RuleFacts(owner="growth", sla="4h", runbook="https://runbooks.example/lead")


def _judged(score: float, observed: float = 5.0, surprise: float = -6.0, tier: int = Tier.WARM) -> Judgement:
    return Judgement(score, surprise if score else 0.0, 3, observed, 20.0, 15.0, 44.0, tier)


class Life(Incidents):
    """The incidents of one series, with the policy that opens and closes them."""

    def __init__(self, series: str = "a/b", policy: IncidentPolicy | None = None) -> None:
        super().__init__(series, policy or IncidentPolicy())
        self.opening = AlertPolicy()

    def judged(self, minute: int, judgement: Judgement, around: Surroundings = ALONE) -> Alert | None:
        change = self.opening.step(60 * minute, judgement.score)
        return self.step(minute, Verdict(judgement.score, change, "count", judgement), FACTS, around)


def _steps(life: Life, start: int, *judged: Judgement, around: Surroundings = ALONE) -> list[Alert]:
    found = (life.judged(start + i, each, around) for i, each in enumerate(judged))
    return [alert for alert in found if alert is not None]


def test_an_incident_opens_once_and_closes_after_lasting_health() -> None:
    incidents = Life("shop/lead")
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
    incidents = Life("shop/lead")
    hovering = [_judged(score) for score in (0.6, 0.2, 0.1, 0.5, 0.3, 0.3, 0.3, 0.3, 0.4, 0.6, 0.2)]
    assert [alert.state for alert in _steps(incidents, 100, *hovering)] == ["open"]


def test_worse_turned_and_long_are_told_again() -> None:
    incidents = Life("shop/lead", IncidentPolicy(repeat_minutes=30))
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
    incidents = Life("shop/lead")
    flickering = [_judged(0.6, observed) for observed in (0.0, 0.3, 0.0, 2.0, 0.0)]
    assert [alert.kind for alert in _steps(incidents, 100, *flickering)] == ["silent"]


def test_kinds_and_severities() -> None:
    def first(judged: Judgement) -> Alert:
        return _steps(Life(), 5, judged)[0]

    assert (first(_judged(0.6, 0.0)).kind, first(_judged(0.6, 0.0)).severity) == ("silent", "page")
    spike = first(_judged(0.6, 90.0, 6.0))
    assert (spike.kind, spike.severity) == ("spike", "ticket")
    assert first(_judged(0.6, tier=Tier.NONE)).severity == "ticket"


def test_a_band_without_upper_bound_can_be_written() -> None:
    unknown = Judgement(0.7, -6.0, 1, 0.0, 20.0, 10.0, inf, Tier.NONE)
    alert = _steps(Life(), 5, unknown)[0]
    assert alert.high is None
    assert decode_alert(encode_alert(alert)) == alert


def test_after_a_close_a_new_incident_has_a_new_id() -> None:
    twice = [_judged(0.6), *[_judged(0.0)] * 20, _judged(0.6)]
    assert [alert.id for alert in _steps(Life(), 10, *twice)] == ["a/b@10", "a/b@10", "a/b@31"]


def test_what_comes_back_at_once_is_the_same_incident() -> None:
    back = [_judged(0.6), *[_judged(0.0)] * 8, *[_judged(0.7)] * 3, *[_judged(0.0)] * 5]
    alerts = _steps(Life(), 10, *back)
    assert [(alert.id, alert.state) for alert in alerts] == [
        ("a/b@10", "open"), ("a/b@10", "closed"), ("a/b@10", "updated"), ("a/b@10", "closed"),
    ]  # fmt: skip
    assert alerts[2].closed_at is None


def test_news_without_a_budget_is_not_told() -> None:
    life, told = Life(), list[Alert]()
    for hour in range(8):
        told += _steps(life, 60 * hour, *[_judged(0.6)] * 3, *[_judged(0.0)] * 40)
    assert len([alert for alert in told if alert.state == "open"]) == 4
    assert len([alert for alert in told if alert.state == "closed"]) == 4


DOUBTFUL = Surroundings(Site.DOUBTFUL, Site.DOUBTFUL)
FAILING = Surroundings(Site.FAILING, Site.FAILING)


def test_news_waits_for_the_verdict_on_the_site_but_not_for_long() -> None:
    assert [alert.minute for alert in _steps(Life(), 10, *[_judged(0.6)] * 5, around=DOUBTFUL)] == [12]
    assert [alert.minute for alert in _steps(Life(), 10, *[_judged(0.6)] * 5)] == [10]


def test_what_the_site_does_is_not_told_by_its_series_unless_it_goes_on_alone() -> None:
    life = Life()
    assert _steps(life, 10, _judged(0.6), around=DOUBTFUL) == []
    assert _steps(life, 11, *[_judged(0.6)] * 30, around=FAILING) == []
    after = Surroundings(Site.CALM, Site.FAILING)
    assert _steps(life, 41, *[_judged(0.6)] * 9, around=after) == []
    assert [(alert.state, alert.minute) for alert in _steps(life, 50, *[_judged(0.6)] * 3)] == [("open", 50)]


def test_what_recovers_with_its_site_was_never_told() -> None:
    life = Life()
    assert _steps(life, 10, *[_judged(0.6)] * 5, *[_judged(0.0)] * 5, around=FAILING) == []
    assert _steps(life, 20, *[_judged(0.0)] * 30) == []


def test_what_was_told_just_before_becomes_part_of_the_incident_of_the_site() -> None:
    life = Life()
    assert [alert.state for alert in _steps(life, 10, *[_judged(0.6)] * 3)] == ["open"]
    merged = _steps(life, 13, _judged(0.6), around=FAILING)
    assert [(alert.id, alert.state, alert.cause) for alert in merged] == [("a/b@10", "closed", "site")]
    assert _steps(life, 14, *[_judged(0.6)] * 30, around=FAILING) == []
