"""When too much is refused, told from closed minutes of all partitions."""

import msgspec
import pytest

from tamis.domain.refused_share import Excess, RefusalLimit, RefusedShare
from tamis.records.pauses import PAUSED, RESUMED, PauseState, Resumed, encode_pause

LIMIT = RefusalLimit(max_ratio=0.5, window_minutes=3, min_events=10)


def share(*minutes: tuple[int, int, int]) -> RefusedShare:
    """Of (minute, refused, others)."""
    found = RefusedShare(LIMIT)
    for minute, refused, others in minutes:
        found.add(minute, [(True, refused), (False, others)])
    return found


@pytest.mark.parametrize(
    ("minutes", "excess"),
    [
        ([], None),
        ([(1, 9, 0)], None),
        ([(1, 10, 0)], (1, 10, 10)),
        ([(1, 10, 10)], None),
        ([(1, 11, 10)], (1, 11, 21)),
        ([(1, 6, 0), (2, 6, 0)], (2, 12, 12)),
        ([(1, 0, 1_000), (2, 100, 0)], None),
        ([(1, 0, 1_000), (4, 100, 0)], (4, 100, 100)),
        ([(1, 6, 0), (1, 6, 0)], (1, 12, 12)),
    ],
)
def test_the_share_of_all_events_within_the_window_counts(
    minutes: list[tuple[int, int, int]], excess: tuple[int, int, int] | None
) -> None:
    found = share(*minutes).excess(-1)
    assert (None if found is None else (found.minute, found.refused, found.events)) == excess


def test_minutes_that_somebody_resumed_at_count_no_more() -> None:
    found = share((1, 50, 0), (2, 50, 0), (3, 9, 0))
    assert found.excess(2) is None
    assert found.excess(1) == Excess(minute=3, refused=59, events=59)


def test_old_minutes_are_forgotten() -> None:
    found = RefusedShare(LIMIT)
    for minute in range(1_000):
        found.add(minute, [(False, 1)])
    assert len(found._minutes) <= 2 * LIMIT.window_minutes


def test_a_pause_holds_until_it_is_resumed_in_any_order() -> None:
    pause, late = Excess(minute=7, refused=1, events=1), Excess(minute=6, refused=1, events=1)
    resumed = Resumed(minute=9, at=1)
    state = PauseState()
    after = Excess(minute=9, refused=1, events=1), Excess(minute=10, refused=1, events=1)
    found = []
    for key, said in ((PAUSED, pause), (PAUSED, late), (RESUMED, resumed), *((PAUSED, each) for each in after)):
        state.apply(key, encode_pause(said))
        found.append((state.active, state.covered))
    assert found == [(pause, -1), (pause, -1), (None, 9), (None, 9), (after[1], 9)]


@pytest.mark.parametrize("value", [None, b"", b"{", b"[]", b"\xff", b'{"minute":"x"}'])
@pytest.mark.parametrize("key", [None, PAUSED, RESUMED, b"x"])
def test_what_is_no_record_of_ours_changes_nothing(key: bytes | None, value: bytes | None) -> None:
    state = PauseState()
    state.apply(key, value)
    assert (state.active, state.resumed) == (None, None)
    assert msgspec.json.decode(encode_pause(Resumed(minute=1, at=2))) == {"minute": 1, "at": 2}
