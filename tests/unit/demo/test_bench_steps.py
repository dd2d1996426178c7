"""The benchmark of the step follows the core: a step that was renamed is noticed here, not in a run of minutes."""

from tamis.demo.bench import steps


def test_every_step_that_is_timed_exists() -> None:
    assert [name for name, owner, method in steps._STEPS if not callable(getattr(owner, method, None))] == []
