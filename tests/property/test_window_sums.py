"""Sums over windows equal sums over partials, whatever the interleaving and however often the owner changes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.domain.counts.sketch import Sketch, sketch_of
from tamis.metrics.windows import MINUTE_MS, WindowState
from tamis.records.metrics import Cell, Closing, Partial, SubjectsCell, Window

if TYPE_CHECKING:
    from collections.abc import Iterable

SOURCES = 3
_SERIES = st.sampled_from(["shop/lead", "shop/-", "law/call"])
_CHANNEL = st.sampled_from(["email", "direct"])
_ENTRY = st.integers(1, 40).map(lambda register: register << 6 | 1)
_OUTCOME = st.sampled_from(["accepted", "denied", "invalid"])


@st.composite
def _source(draw: st.DrawFn, number: int) -> list[Partial]:
    """The partials of one source: its clock never goes back and no cell is older than its watermark."""
    clock, found = 100 * MINUTE_MS, []
    for _ in range(draw(st.integers(0, 6))):
        floor = clock // MINUTE_MS
        clock += draw(st.integers(0, 200_000))
        cells = tuple(
            Cell(
                draw(_SERIES),
                draw(st.integers(floor, clock // MINUTE_MS)),
                draw(_OUTCOME),
                "r",
                n,
                float(n),
                "intent",
                draw(_CHANNEL),
                "mobile",
            )
            for n in draw(st.lists(st.integers(1, 50), max_size=4))
        )
        subjects = tuple(SubjectsCell(c.series, c.minute, sketch_of([draw(_ENTRY)])) for c in cells)
        found.append(_partial(number, clock, cells, subjects))
    return [*found, _partial(number, 200 * MINUTE_MS, ())]


def _partial(number: int, watermark: int, cells: tuple[Cell, ...], subjects: tuple[SubjectsCell, ...] = ()) -> Partial:
    return Partial(
        source=f"events.raw/{number}", sources=SOURCES, first=0, next=0, watermark=watermark, cells=cells,
        subjects=subjects,
    )  # fmt: skip


@st.composite
def _interleaved(draw: st.DrawFn) -> list[Partial]:
    queues = [draw(_source(number)) for number in range(SOURCES)]
    order: list[Partial] = []
    while any(queues):
        ready = [queue for queue in queues if queue]
        order.append(draw(st.sampled_from(ready)).pop(0))
    return order


def _sums(rows: Iterable[tuple[str, int, str, str, int]]) -> Counter[tuple[str, int, str, str]]:
    total: Counter[tuple[str, int, str, str]] = Counter()
    for series, minute, outcome, channel, n in rows:
        total[series, minute, outcome, channel] += n
    return total


def _subjects(rows: Iterable[tuple[str, int, bytes]]) -> dict[tuple[str, int], dict[int, int]]:
    found: dict[tuple[str, int], Sketch] = {}
    for series, minute, sketch in rows:
        found.setdefault((series, minute), Sketch()).merge(sketch)
    return {place: sketch.ranks for place, sketch in found.items()}


def _run(partials: list[Partial], restart_after: set[int]) -> list[Closing]:
    state, table, out = WindowState(), dict[str, bytes](), list[Closing]()
    for i, partial in enumerate(partials):
        state.apply(partial)
        out.extend(state.close())
        for key, value in state.drain().items():
            if value is None:
                table.pop(key, None)
            else:
                table[key] = value
        if i in restart_after:
            state = WindowState()
            state.restore(table.items())
    return out


@settings(max_examples=150, deadline=None)
@given(partials=_interleaved(), restart_after=st.sets(st.integers(0, 20)))
def test_windows_sum_to_partials_through_any_interleaving_and_take_over(
    partials: list[Partial], restart_after: set[int]
) -> None:
    out = _run(partials, restart_after)
    assert out == _run(partials, set())
    windows = [record for record in out if isinstance(record, Window)]
    assert len({(window.series, window.minute) for window in windows}) == len(windows)
    given_sums = _sums((c.series, c.minute, c.outcome, c.channel, c.n) for p in partials for c in p.cells)
    assert _sums((w.series, w.minute, c.outcome, c.channel, c.n) for w in windows for c in w.cells) == given_sums
    seen = _subjects((s.series, s.minute, s.sketch) for p in partials for s in p.subjects)
    assert _subjects((w.series, w.minute, w.subjects) for w in windows) == seen
    assert sum(r.n for r in out if not isinstance(r, Window)) == given_sums.total()
