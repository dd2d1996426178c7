"""Longer spans hold what the windows in them hold, each once, however often the owner changes."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.domain.counts.sketch import Sketch, sketch_of
from tamis.metrics.rollups import SPANS, RollUps
from tamis.records.metrics import RollUp, Window, WindowCell

START = 28_401_120 // 1_440 * 1_440 + 1_430
_SERIES = st.sampled_from(["shop/lead", "shop/-"])


@st.composite
def _window(draw: st.DrawFn) -> Window:
    n = draw(st.integers(1, 9))
    cell = WindowCell(draw(st.sampled_from(["accepted", "denied"])), "r", n, 0.5 * n, "intent", "email", "mobile")
    minute = START + draw(st.integers(0, 90))
    sketch = sketch_of([draw(st.integers(1, 9)) << 6 | 3])
    return Window(series=draw(_SERIES), minute=minute, cells=(cell,), subjects=sketch)


def _rolled(windows: list[Window], last: int, restart: set[int]) -> list[RollUp]:
    spans, table, found = RollUps(), dict[str, bytes](), list[RollUp]()
    for minute in range(START, last + 1):
        found += spans.take([window for window in windows if window.minute == minute], minute)
        for key, value in spans.drain().items():
            if value is None:
                table.pop(key, None)
            else:
                table[key] = value
        if minute - START in restart:
            spans = RollUps()
            spans.restore(table.items())
    return found


@settings(max_examples=80, deadline=None)
@given(
    windows=st.lists(_window(), max_size=30, unique_by=lambda w: (w.series, w.minute)),
    restart=st.sets(st.integers(0, 99)),
    last=st.integers(START, START + 100),
)
def test_spans_sum_to_windows_through_any_take_over(windows: list[Window], restart: set[int], last: int) -> None:
    found = _rolled(windows, last, restart)
    assert found == _rolled(windows, last, set())
    assert len({(each.series, each.minutes, each.start) for each in found}) == len(found)
    for span in SPANS:
        over = [window for window in windows if window.minute // span * span + span - 1 <= last]
        expected: Counter[tuple[str, int, WindowCell]] = Counter()
        subjects: dict[tuple[str, int], Sketch] = {}
        for window in over:
            start = window.minute // span * span
            for cell in window.cells:
                expected[window.series, start, _bare(cell)] += cell.n
            subjects.setdefault((window.series, start), Sketch()).merge(window.subjects)
        rolled = [each for each in found if each.minutes == span]
        sums = Counter({(r.series, r.start, _bare(cell)): cell.n for r in rolled for cell in r.cells})
        assert sums == expected
        assert {(r.series, r.start): r.subjects for r in rolled} == {at: s.encode() for at, s in subjects.items()}
        assert all(cell.value == 0.5 * cell.n for r in rolled for cell in r.cells)


def _bare(cell: WindowCell) -> WindowCell:
    return WindowCell(cell.outcome, cell.reason, 0, 0.0, cell.stage, cell.channel, cell.device, cell.producer)
