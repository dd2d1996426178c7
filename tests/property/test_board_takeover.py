"""However often a partition changes its owner, windows judged and alerts told are those of one undisturbed board."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.anomaly.board import Board, BoardPolicy, closings
from tamis.anomaly.incidents import RuleFacts
from tamis.records.alert import Alert
from tamis.records.metrics import Closing, Window, WindowCell

START = 28_401_660
POLICY = BoardPolicy(snapshot_minutes=20)


def _log(seed: int) -> list[Closing]:
    """Four hours of three streams of a site that start, stop and break at random, one by one and together."""
    rng = random.Random(seed)
    plan = [(f"s/{name}", rng.randint(3, 60), rng.randrange(60), rng.randrange(70, 200)) for name in "abc"]
    minutes = []
    for minute in range(240):
        windows = []
        for series, mean, begins, breaks in plan:
            n = max(0, round(rng.gauss(mean, mean**0.5)))
            together = seed % 2 and 205 <= minute < 220
            if n and minute >= begins and not breaks <= minute < breaks + 25 and not together:
                cells = (WindowCell("accepted", "granted", n, 0.0),)
                windows.append(Window(series=series, minute=START + minute, cells=cells))
        minutes.append((START + minute, windows))
    return list(closings(minutes))


def _facts(rule: str) -> RuleFacts:
    return RuleFacts(owner=rule, upstream="a" if rule == "b" else "", expected_by="03:00" if rule == "c" else "")


def _undisturbed(log: list[Closing]) -> list[Alert]:
    board = Board(_facts, POLICY)
    return [alert for offset, record in enumerate(log) for alert in board.take(offset, record)]


def _with_owners(log: list[Closing], handovers: list[int]) -> list[Alert]:
    told, store, first = list[Alert](), dict[str, bytes](), 0
    for end in [*handovers, len(log)]:
        board = Board(_facts, POLICY)
        for series, value in store.items():
            board.restore(series, value)
        for offset in range(board.replay_from(), first):
            board.take(offset, log[offset])
        told += board.reconcile({alert.id: alert for alert in told}.values())
        for offset in range(first, end):
            told += board.take(offset, log[offset])
        for series, snapshot in board.drain_snapshots().items():
            assert snapshot is not None
            store[series] = snapshot
        first = end
    return told


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 50), cuts=st.lists(st.integers(0, 700), max_size=4))
def test_owners_change_nothing(seed: int, cuts: list[int]) -> None:
    log = _log(seed)
    expected = _undisturbed(log)
    assert _with_owners(log, sorted(min(cut, len(log)) for cut in cuts)) == expected
    assert any(alert.state == "open" for alert in expected)
    opened = [alert.id for alert in expected if alert.state == "open"]
    assert len(set(opened)) == len(opened)
