"""Laws of what is published: never few people, never an event twice, and nothing by subtraction."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tamis.domain.counts.sketch import entries, sketch_of
from tamis.metrics.public import PublicCounts
from tamis.records.metrics import Closing, MinuteClosed, PublicCount, Window, WindowCell

K = 3
ENTRY = entries(b"k" * 32)
START = 1_440 * 20_000
SERIES = ("shop/quote", "shop/video", "law/quote", "-/-")

# (minute of the day, series, person) of each accepted event; people and minutes are few, so that small cells abound.
events = st.lists(
    st.tuples(st.sampled_from([0, 1, 2, 4, 5, 6, 59, 60, 61, 600, 1_439]), st.sampled_from(SERIES), st.integers(0, 9)),
    max_size=60,
)


def windows(minute: int, of_minute: list[tuple[int, str, int]]) -> list[Closing]:
    found: list[Closing] = []
    for series in sorted({each[1] for each in of_minute}):
        people = [each[2] for each in of_minute if each[1] == series]
        sketch = sketch_of({ENTRY(str(person)) for person in people})
        cells = (WindowCell("accepted", "allowed", len(people), 1.5 * len(people)), WindowCell("denied", "x", 9, 0.0))
        found.append(Window(series=series, minute=START + minute, cells=cells, subjects=sketch, accepted=sketch))
    found.append(MinuteClosed(minute=START + minute, n=len(of_minute), series=len(found)))
    return found


def published(found: list[tuple[int, str, int]], *, restored: bool = False, step: int = 1) -> list[PublicCount]:
    counts, records, table = PublicCounts(K), list[PublicCount](), dict[str, bytes]()
    for first in range(0, 1_440, step):
        minutes = range(first, min(first + step, 1_440))
        busy = sorted({minute for minute, _, _ in found if minute in minutes})
        closed = [each for minute in busy for each in windows(minute, [e for e in found if e[0] == minute])]
        records += counts.take(closed, START + minutes[-1])
        for key, value in counts.drain().items():
            if value is None:
                table.pop(key, None)
            else:
                table[key] = value
        if restored:
            counts = PublicCounts(K)
            counts.restore(table.items())
    assert table == {}, "nothing is held back for ever"
    return records


def covered(record: PublicCount, found: list[tuple[int, str, int]], taken: Counter[int]) -> list[int]:
    """Places in ``found`` of the events that a record can be about."""
    site, _, rule = record.series.partition("/")
    return [
        place
        for place, (minute, series, _) in enumerate(found)
        if not taken[place]
        and record.start <= START + minute < record.start + record.minutes
        and (rule == "*" or series == record.series)
        and (site in ("*", series.partition("/")[0]))
    ]


@given(events)
def test_each_record_is_of_k_people_and_no_event_is_in_two(found: list[tuple[int, str, int]]) -> None:
    taken: Counter[int] = Counter()
    # What a longer record counts is what no shorter one does: taken in that order each has exactly the rest.
    for record in sorted(published(found, step=60), key=lambda each: (each.minutes, each.series.count("*"))):
        places = covered(record, found, taken)
        if record.minutes > 1:
            assert len(places) == record.n
        assert record.n == len(places)
        assert len({found[place][2] for place in places}) >= K
        assert record.value == 1.5 * record.n
        taken.update(places)
    left = [found[place] for place in range(len(found)) if not taken[place]]
    assert len({person for _, _, person in left}) < K, "only what is small to the end is suppressed"


@given(events)
def test_a_take_over_changes_nothing(found: list[tuple[int, str, int]]) -> None:
    whole = published(found, step=60)
    assert published(found, restored=True, step=60) == whole
    assert sorted(map(repr, published(found, step=360))) == sorted(map(repr, whole))


def test_a_small_minute_is_not_told_by_what_surrounds_it() -> None:
    """Four minutes of five are published; the fifth has one person: a total of the five would give it away."""
    found = [(minute, "shop/quote", person) for minute in (0, 1, 2, 4) for person in range(K)] + [(3, "shop/quote", 7)]
    records = published(found, step=60)
    assert [(each.start - START, each.minutes, each.n) for each in records] == [
        (0, 1, 3),
        (1, 1, 3),
        (2, 1, 3),
        (4, 1, 3),
    ]


def test_small_minutes_become_large_together() -> None:
    found = [(minute, "shop/quote", minute) for minute in range(3)]
    (record,) = published(found, step=60)
    assert (record.start - START, record.minutes, record.n, record.subjects) == (0, 5, 3, 3)


def test_small_series_become_large_together_at_the_end_of_the_day() -> None:
    found = [(0, "shop/quote", 1), (60, "shop/video", 2), (600, "shop/video", 3)]
    (record,) = published(found, step=60)
    assert (record.series, record.minutes, record.n) == ("shop/*", 1_440, 3)
    found = [(0, "shop/quote", 1), (60, "law/quote", 2), (600, "-/-", 3)]
    (record,) = published(found, step=60)
    assert (record.series, record.minutes, record.n) == ("*/*", 1_440, 3)


def test_one_person_is_never_published_however_busy() -> None:
    assert published([(minute, "shop/quote", 1) for minute in range(400)], step=60) == []
