"""Closing minutes: only when all sources passed, never twice, in order, with bounded catch-up."""

from __future__ import annotations

import pytest

from tamis.metrics.windows import CATCH_UP_MINUTES, MINUTE_MS, LateCellError, WindowState
from tamis.records.metrics import Cell, Closing, MinuteClosed, Partial, Window, WindowCell


def _partial(source: int, minute: float, *cells: Cell, sources: int = 2) -> Partial:
    return Partial(
        source=f"events.raw/{source}",
        sources=sources,
        first=0,
        next=1,
        watermark=int(minute * MINUTE_MS),
        cells=cells,
    )


def _cell(minute: int, n: int = 1, series: str = "shop/lead", outcome: str = "accepted") -> Cell:
    return Cell(series, minute, outcome, "granted", n, 1.5 * n)


def _closed_minutes(found: list[Closing]) -> list[int]:
    return [record.minute for record in found if isinstance(record, MinuteClosed)]


def test_a_minute_closes_when_all_sources_have_passed_it() -> None:
    state = WindowState()
    state.apply(_partial(0, 101.5, _cell(100, 3), _cell(101, 2)))
    assert state.close() == []
    state.apply(_partial(1, 100.9, _cell(100, 4, outcome="denied")))
    assert state.close() == []
    state.apply(_partial(1, 101.0))
    assert state.close() == [
        Window(
            series="shop/lead",
            minute=100,
            cells=(WindowCell("accepted", "granted", 3, 4.5), WindowCell("denied", "granted", 4, 6.0)),
        ),
        MinuteClosed(minute=100, n=7, series=1),
    ]
    assert state.close() == []


def test_a_source_never_heard_of_holds_everything_back() -> None:
    state = WindowState()
    state.apply(_partial(0, 500, _cell(100)))
    assert state.close() == []


def test_every_watched_topic_counts() -> None:
    state = WindowState(("events.raw", "events.held"))
    state.apply(_partial(0, 105, _cell(100), sources=1))
    assert state.close() == []
    state.apply(Partial(source="events.held/0", sources=1, first=0, next=0, watermark=102 * MINUTE_MS))
    assert _closed_minutes(state.close()) == [100, 101]


def test_an_unwatched_topic_is_a_fault() -> None:
    with pytest.raises(ValueError, match="unwatched"):
        WindowState(("events.held",)).apply(_partial(0, 1))


def test_windows_of_a_minute_are_sorted_and_idle_minutes_close_too() -> None:
    state = WindowState()
    state.apply(_partial(0, 103, _cell(100, series="b/x"), _cell(100, series="a/x"), sources=1))
    found = state.close()
    assert [record.series for record in found if isinstance(record, Window)] == ["a/x", "b/x"]
    assert _closed_minutes(found) == [100, 101, 102]
    assert found[-1] == MinuteClosed(minute=102, n=0, series=0)


def test_a_late_cell_of_a_known_source_is_a_fault() -> None:
    state = WindowState()
    state.apply(_partial(0, 105, sources=1))
    state.close()
    with pytest.raises(LateCellError, match="minute 104"):
        state.apply(_partial(0, 105, _cell(104), sources=1))


def test_a_batch_that_comes_again_counts_in_the_open_minute() -> None:
    state = WindowState(repeats=True)
    state.apply(_partial(0, 105, _cell(104, 2), sources=1))
    state.close()
    state.apply(_partial(0, 105, _cell(104, 2), sources=1))
    state.apply(_partial(0, 106, sources=1))
    windows = [record for record in state.close() if isinstance(record, Window)]
    assert [(window.minute, window.cells[0].n) for window in windows] == [(105, 2)]


def test_an_added_partition_counts_its_early_cells_in_the_open_minute() -> None:
    state = WindowState()
    state.apply(_partial(0, 105, sources=1))
    state.close()
    state.apply(_partial(1, 106, _cell(103, 5)))
    state.apply(_partial(0, 106))
    windows = [record for record in state.close() if isinstance(record, Window)]
    assert [(window.minute, window.cells[0].n) for window in windows] == [(105, 5)]


def test_a_watermark_never_goes_back() -> None:
    state = WindowState()
    state.apply(_partial(0, 105, sources=1))
    state.close()
    state.apply(_partial(0, 90, sources=1))
    assert state.close() == []
    assert state.lag_ms(106 * MINUTE_MS) == {"events.raw/0": MINUTE_MS}


def test_a_long_silence_is_caught_up_within_a_bound() -> None:
    state = WindowState()
    state.apply(_partial(0, 100, sources=1))
    state.close()
    state.apply(_partial(0, 100_000, _cell(50_000, 7), sources=1))
    minutes = _closed_minutes(state.close())
    assert len(minutes) == 2 * CATCH_UP_MINUTES + 1
    assert 50_000 in minutes
    assert minutes == sorted(minutes)
    assert minutes[-1] == 99_999
    assert state.closed == 99_999


def test_the_table_holds_only_what_is_open() -> None:
    state = WindowState()
    table: dict[str, bytes] = {}
    state.apply(_partial(0, 101, _cell(100), _cell(101), sources=1))
    _store(table, state.drain())
    assert len(table) == 3
    state.close()
    _store(table, state.drain())
    assert sorted(key[0] for key in table) == ["c", "m", "w"]
    again = WindowState()
    again.restore(table.items())
    again.apply(_partial(0, 102, _cell(101), sources=1))
    state.apply(_partial(0, 102, _cell(101), sources=1))
    assert again.close() == state.close()


def _store(table: dict[str, bytes], changes: dict[str, bytes | None]) -> None:
    for key, value in changes.items():
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value
