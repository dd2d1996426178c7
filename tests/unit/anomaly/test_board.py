"""The board: a named break is found once and closes, a quiet run gives none, and a take-over changes nothing."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

import pytest

from tamis.anomaly.board import Board, BoardPolicy, closings
from tamis.anomaly.incidents import RuleFacts
from tamis.records.alert import Alert
from tamis.records.metrics import Closing, MinuteClosed, Window, WindowCell

START = 28_401_120 + 9 * 60  # Monday, 09:00 UTC
SERIES = {"shop/lead": 30.0, "shop/cart": 8.0, "law/call": 3.0, "shop/-": 200.0}


def _facts(rule: str) -> RuleFacts:
    return RuleFacts(owner=f"team-{rule}", sla="4h")


def _window(series: str, minute: int, n: int) -> Window:
    split = n // 3
    cells = (WindowCell("accepted", "granted", n - split, 0.0), WindowCell("denied", "denied", split, 0.0))
    return Window(series=series, minute=minute, cells=cells)


def _minutes(
    start: int, count: int, seed: int = 1, broken: tuple[str, int, int] = ("", 0, 0)
) -> Iterator[tuple[int, list[Window]]]:
    """Poisson-like traffic; ``broken`` = series, first and end minute without events."""
    rng = random.Random(seed)
    for minute in range(start, start + count):
        windows = []
        for series, mean in SERIES.items():
            n = max(0, round(rng.gauss(mean, mean**0.5)))
            if n and not (series == broken[0] and broken[1] <= minute < broken[2]):
                windows.append(_window(series, minute, n))
        yield minute, windows


def _log(minutes: Iterator[tuple[int, list[Window]]]) -> list[Closing]:
    return list(closings(minutes))


def _play(board: Board, log: list[Closing], start: int = 0, end: int | None = None) -> list[Alert]:
    alerts: list[Alert] = []
    for offset in range(start, len(log) if end is None else end):
        alerts += board.take(offset, log[offset])
    return alerts


@pytest.fixture(scope="module")
def broken_log() -> list[Closing]:
    """Ten hours; shop/lead is silent for half an hour in the eighth."""
    return _log(_minutes(START, 600, broken=("shop/lead", START + 450, START + 480)))


def test_a_named_break_is_found_once_within_minutes_and_closes_after_the_repair(broken_log: list[Closing]) -> None:
    alerts = _play(Board(_facts), broken_log)
    assert [alert.state for alert in alerts if alert.state != "updated"] == ["open", "closed"]
    assert {alert.series for alert in alerts} == {"shop/lead"}
    opened, closed = alerts[0], alerts[-1]
    assert opened.owner == "team-lead"
    assert opened.kind in {"silent", "drop"}
    assert START + 450 <= opened.minute <= START + 453
    assert START + 480 <= closed.minute <= START + 490
    assert closed.id == opened.id


def test_a_quiet_run_gives_none() -> None:
    assert _play(Board(_facts), _log(_minutes(START, 3 * 1440, seed=5))) == []


def test_a_taken_over_board_goes_on_as_if_nothing_had_happened(broken_log: list[Closing]) -> None:
    whole = Board(_facts)
    expected = _play(whole, broken_log)
    for handover in (7, 300, 1000, 2255, 2290, len(broken_log) - 3):
        first, store, told = Board(_facts), dict[str, bytes](), list[Alert]()
        for offset in range(handover):
            told += first.take(offset, broken_log[offset])
            for series, value in first.drain_snapshots().items():
                assert value is not None
                store[series] = value
        second = Board(_facts)
        for series, value in store.items():
            second.restore(series, value)
        _play(second, broken_log, second.replay_from(), handover)
        assert second.reconcile({alert.id: alert for alert in told}.values()) == []
        assert second.open_incidents() == first.open_incidents()
        assert told + _play(second, broken_log, handover) == expected
        assert second.open_incidents() == whole.open_incidents()


def test_every_series_is_snapshotted_when_new_and_then_once_an_hour() -> None:
    board, snapshots = Board(_facts), list[tuple[int, str]]()
    for offset, record in enumerate(_log(_minutes(START, 181))):
        board.take(offset, record)
        snapshots += [(record.minute - START, series) for series in board.drain_snapshots()]
    assert {series for minute, series in snapshots if minute == 0} == {*SERIES, "shop/*"}
    for series in SERIES:
        later = [minute for minute, each in snapshots if each == series and minute]
        assert len(later) == 3
        assert {b - a for a, b in itertools.pairwise(later)} == {60}


def test_a_history_warms_the_board_and_tells_nothing() -> None:
    cold, warm = Board(_facts), Board(_facts)
    warm.learn_history(_log(_minutes(START - 600, 600, seed=2, broken=("shop/lead", START - 20, START))))
    assert warm.open_incidents() == []
    assert len(warm) == len(SERIES)
    live = _log(_minutes(START, 20, seed=3, broken=("shop/cart", START + 5, START + 20)))
    assert _play(cold, live) == []
    assert [alert.series for alert in _play(warm, live) if alert.state == "open"] == ["shop/cart"]
    assert set(warm.drain_snapshots()) == {*SERIES, "shop/*"}


def test_a_series_without_events_is_forgotten() -> None:
    board = Board(_facts, BoardPolicy(forget_minutes=90))
    _play(board, _log(_minutes(START, 2)))
    board.drain_snapshots()
    gone: dict[str, bytes | None] = {}
    for i in range(200):
        board.take(1000 + i, MinuteClosed(minute=START + 2 + i, n=0, series=0))
        gone |= board.drain_snapshots()
    assert len(board) == 0
    assert set(gone.values()) == {None}
    assert set(gone) == {*SERIES, "shop/*"}


def test_series_beyond_the_limit_are_counted_and_not_watched() -> None:
    board = Board(_facts, BoardPolicy(most_series=2))
    _play(board, _log(_minutes(START, 3)))
    assert len(board) == 2
    assert board.unwatched == 3 * (len(SERIES) - 2)


def _alert(series: str, minute: int, state: str = "open") -> Alert:
    return Alert(
        id=f"{series}@{minute}", state=state, series=series, kind="drop", severity="page", opened_at=0,
        detected_at=minute * 60_000, minute=minute, observed=0, expected=9, low=5, high=20, score=0.6,
    )  # fmt: skip


def test_what_people_saw_decides_which_incidents_are_open(broken_log: list[Closing]) -> None:
    board = Board(_facts)
    _play(board, broken_log, 0, 2270)
    assert [alert.series for alert in board.open_incidents()] == ["shop/lead"]
    old, new = _alert("law/call", 5), _alert("law/call", 9)
    closing = board.reconcile([_alert("shop/lead", 7, "closed"), new, old])
    assert [(alert.id, alert.state) for alert in closing] == [(old.id, "closed")]
    assert board.open_incidents() == [new]
    alerts = _play(board, broken_log, 2270, 2320)
    assert ("law/call@9", "closed") in [(alert.id, alert.state) for alert in alerts]


def test_a_snapshot_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match=r"(?i)version|expected"):
        Board(_facts).restore("a/b", b"\x01")
