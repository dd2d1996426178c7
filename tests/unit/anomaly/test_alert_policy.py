"""One alert for an incident, no flapping, a budget, and no news about what happens every day."""

from __future__ import annotations

from tamis.anomaly.alert_policy import BURST, HEALTHY, AlertPolicy, Change

DAY = 86_400


def _play(policy: AlertPolicy, start: int, scores: list[float]) -> list[int]:
    return [i for i, score in enumerate(scores) if policy.step(start + 60 * i, score) == Change.OPENED]


def _incident() -> list[float]:
    return [0.7] * 5 + [0.0] * HEALTHY


def test_an_incident_is_told_once_and_the_next_one_again() -> None:
    policy = AlertPolicy()
    assert _play(policy, 0, [0.0, 0.5, 0.9, 0.4, 0.2, 0.6] + [0.0] * 30 + [0.6]) == [1, 36]


def test_what_comes_back_at_once_is_the_same_incident() -> None:
    policy = AlertPolicy()
    assert _play(policy, 0, [0.6] + [0.0] * HEALTHY + [0.6]) == [0]


def test_a_stream_has_a_budget_that_comes_back() -> None:
    policy, told = AlertPolicy(), 0
    for hour in range(20):
        told += len(_play(policy, 3_600 * hour, _incident()))
    assert told == BURST
    assert policy.state.muted == 20 - BURST
    assert len(_play(policy, 2 * DAY + 5 * 3_600, _incident())) == 1


def test_the_second_time_is_news_and_a_habit_is_not() -> None:
    policy = AlertPolicy()
    assert [len(_play(policy, day * DAY + 600 * (day % 2), _incident())) for day in range(5)] == [1, 1, 0, 0, 0]
    assert len(_play(policy, 5 * DAY + 7 * 3_600, _incident())) == 1
