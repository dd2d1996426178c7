"""An outage of a whole site is one incident, a conversion is judged with its upstream step, an absence is told."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from tamis.anomaly.board import Board, closings
from tamis.anomaly.incidents import RuleFacts
from tamis.records.alert import Alert
from tamis.records.metrics import Closing, Window, WindowCell

START = 28_401_120  # Monday, 00:00 UTC
DAY = 1_440
RULES = {f"rule_{i}": 4.0 + 3.0 * i for i in range(12)}
Mean = Callable[[str, int], float]


def _facts(rule: str) -> RuleFacts:
    return RuleFacts(owner="growth" if len(rule) == len("rule_0") else "shop")


def _poisson(rng: random.Random, mean: float) -> int:
    return max(0, round(rng.gauss(mean, mean**0.5))) if mean >= 1.0 else int(rng.random() < mean)


def _log(
    rules: list[str], mean: Mean, minutes: int, fates: Callable[[int], str] = lambda _: "accepted"
) -> list[Closing]:
    rng, found = random.Random(3), []
    for minute in range(START, START + minutes):
        counts = {rule: _poisson(rng, mean(rule, minute - START)) for rule in rules}
        windows = [
            Window(series=f"shop/{rule}", minute=minute, cells=(WindowCell(fates(minute - START), "r", n, 0.0),))
            for rule, n in counts.items()
            if n
        ]
        found.append((minute, windows))
    return list(closings(found))


def _play(board: Board, log: list[Closing]) -> list[Alert]:
    return [alert for offset, record in enumerate(log) for alert in board.take(offset, record)]


def _opened(alerts: list[Alert]) -> list[str]:
    return [alert.series for alert in alerts if alert.state == "open"]


OUTAGE = range(600, 640)


def test_an_outage_of_a_site_is_one_incident_that_names_its_members() -> None:
    log = _log(list(RULES), lambda rule, at: 0.0 if at in OUTAGE else RULES[rule], 720)
    alerts = _play(Board(_facts), log)
    assert _opened(alerts) == ["shop/*"]
    opened = alerts[0]
    assert (opened.kind, opened.channel, opened.owner) == ("silent", "site", "growth")
    assert 600 <= opened.minute - START <= 602
    assert opened.affected >= 6
    assert len(opened.members) >= 6
    assert [alert.state for alert in alerts if alert.state != "updated"] == ["open", "closed"]


def test_one_rule_of_many_is_its_own_incident_even_if_it_is_most_of_the_site() -> None:
    rules = RULES | {"rule_0": 400.0}
    log = _log(list(rules), lambda rule, at: 0.0 if at in OUTAGE and rule == "rule_0" else rules[rule], 720)
    assert _opened(_play(Board(_facts), log)) == ["shop/rule_0"]


def test_a_rule_that_stays_broken_after_its_site_came_back_is_told() -> None:
    def mean(rule: str, at: int) -> float:
        return 0.0 if at in OUTAGE or (at >= 640 and rule == "rule_9") else RULES[rule]

    alerts = _play(Board(_facts), _log(list(RULES), mean, 720))
    assert _opened(alerts) == ["shop/*", "shop/rule_9"]


def test_a_campaign_that_lifts_a_whole_site_is_one_incident() -> None:
    log = _log(
        list(RULES), lambda rule, at: RULES[rule] * (9.0 if DAY + at - DAY in range(2_000, 2_030) else 1.0), 2_100
    )
    alerts = _play(Board(_facts), log)
    assert _opened(alerts) == ["shop/*"]
    assert alerts[0].kind == "spike"


@pytest.mark.parametrize(("outcome", "cause"), [("denied", "consent"), ("invalid", "invalid"), ("accepted", "")])
def test_the_mix_of_outcomes_hints_at_the_cause(outcome: str, cause: str) -> None:
    log = _log(
        list(RULES), lambda rule, at: RULES[rule] * (0.1 if at in OUTAGE else 1.0), 650,
        lambda at: outcome if at in OUTAGE else "accepted",
    )  # fmt: skip
    assert [alert.cause for alert in _play(Board(_facts), log) if alert.state == "open"] == [cause]


def _funnel(rule: str) -> RuleFacts:
    return RuleFacts(upstream="page" if rule == "lead" else "")


def test_conversions_are_judged_with_their_upstream_step() -> None:
    """A third of the rate is lost for hours while demand doubles: the counts alone look healthy."""

    def mean(rule: str, at: int) -> float:
        late = at >= 2 * DAY
        return (300.0 if late else 200.0) if rule == "page" else (22.0 if late else 40.0)

    log = _log(["page", "lead"], mean, 2 * DAY + 240)
    alerts = _play(Board(_funnel), log)
    assert "shop/lead" in _opened(alerts)
    assert {alert.channel for alert in alerts if alert.series == "shop/lead"} == {"ratio"}


def _expecting(rule: str) -> RuleFacts:
    return RuleFacts(owner="shop", expected_by="09:30", zone="Europe/Berlin") if rule == "lead" else RuleFacts()


def test_a_conversion_that_did_not_come_by_the_expected_time_is_told_and_closed_when_it_comes() -> None:
    def mean(rule: str, at: int) -> float:
        if rule == "page":
            return 5.0
        return 0.04 if at < 2 * DAY - 120 or at > 2 * DAY + 700 else 0.0

    alerts = [
        alert for alert in _play(Board(_expecting), _log(["page", "lead"], mean, 3 * DAY)) if alert.kind == "absent"
    ]
    assert [(alert.state, alert.channel, alert.owner) for alert in alerts] == [
        ("open", "absence", "shop"),
        ("closed", "absence", "shop"),
    ]
    assert alerts[0].minute - START == 2 * DAY + 8 * 60 + 30
    assert alerts[1].minute - START > 2 * DAY + 700
    assert alerts[0].id == alerts[1].id != f"shop/lead@{alerts[0].minute}"


def test_what_breaks_soon_after_a_change_of_the_bundle_has_a_suspected_cause() -> None:
    log = _log(list(RULES), lambda rule, at: 0.0 if at in OUTAGE and rule == "rule_9" else RULES[rule], 640)
    board, alerts, minute = Board(_facts), list[Alert](), START
    board.note_bundle("one")
    for offset, record in enumerate(log):
        if record.minute - START == 595 and minute != record.minute:
            board.note_bundle("two")
        minute = record.minute
        alerts += board.take(offset, record)
    assert [(alert.series, alert.cause) for alert in alerts if alert.state == "open"] == [("shop/rule_9", "bundle")]
