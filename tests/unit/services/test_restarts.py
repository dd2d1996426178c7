"""When to start again and when to give up, with the time as an argument."""

from __future__ import annotations

import pytest

from tamis.services.restarts import GiveUp, Restart, RestartPolicy, RestartState

POLICY = RestartPolicy(first_s=0.5, max_s=4.0, crash_limit=5, window_s=60.0)


def test_the_wait_doubles_up_to_its_bound() -> None:
    state = RestartState(RestartPolicy(first_s=0.5, max_s=4.0, crash_limit=100, window_s=60.0))
    waits = [state.ended(1, now) for now in range(6)]
    assert waits == [Restart(0.5), Restart(1.0), Restart(2.0), Restart(4.0), Restart(4.0), Restart(4.0)]


def test_five_crashes_within_the_window_are_a_crash_loop() -> None:
    state = RestartState(POLICY)
    for now in (0.0, 10.0, 20.0, 59.0):
        assert isinstance(state.ended(1, now), Restart)
    assert state.ended(-9, 59.9) == GiveUp(70, "crashed 5 times within 60 s, at last with -9")


def test_crashes_outside_the_window_are_forgotten() -> None:
    state = RestartState(POLICY)
    for now in (0.0, 10.0, 20.0, 59.0):
        state.ended(1, now)
    assert state.ended(1, 60.0) == Restart(4.0)
    assert state.ended(1, 1_000.0) == Restart(0.5)


@pytest.mark.parametrize("exit_code", [0, 1, 70, -9, -15])
def test_every_unasked_end_counts_as_a_crash(exit_code: int) -> None:
    state = RestartState(POLICY)
    verdicts = [state.ended(exit_code, 0.0) for _ in range(5)]
    assert isinstance(verdicts[4], GiveUp)


def test_wrong_configuration_is_given_up_at_once() -> None:
    assert RestartState(POLICY).ended(2, 0.0) == GiveUp(2, "refused its configuration")


def test_a_cluster_out_of_reach_is_waited_for_with_growing_waits() -> None:
    state = RestartState(POLICY)
    verdicts = [state.ended(75, float(now)) for now in range(20)]
    assert verdicts[:4] == [Restart(0.5), Restart(1.0), Restart(2.0), Restart(4.0)]
    assert verdicts[-1] == Restart(4.0)
