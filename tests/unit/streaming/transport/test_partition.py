from __future__ import annotations

from dataclasses import dataclass

from aiokafka.structs import TopicPartition

from tamis.streaming.transport.partition import PartitionState


@dataclass(frozen=True)
class Record:
    offset: int
    timestamp: int = 0


def _records(first: int, n: int) -> list[Record]:
    return [Record(offset, offset * 10) for offset in range(first, first + n)]


def _state(at: int = 0) -> PartitionState:
    return PartitionState.at(TopicPartition("t", 0), at)


def test_cuts_follow_each_other_without_gap_or_overlap() -> None:
    state = _state(5)
    state.append(_records(5, 10), 15)
    cuts = [state.cut(4), state.cut(4), state.cut(2)]
    assert [(c.first, c.next, len(c.records)) for c in cuts] == [(5, 9, 4), (9, 13, 4), (13, 15, 2)]
    assert not state.chunks


def test_the_last_cut_covers_markers_up_to_the_fetch_position() -> None:
    state = _state()
    state.append(_records(0, 3), 7)  # offsets 3..6 are transaction markers or holes
    cut = state.cut(3)
    assert (cut.first, cut.next) == (0, 7)


def test_fetches_that_meet_are_one_chunk() -> None:
    state = _state()
    state.append(_records(0, 3), 3)
    state.append(_records(3, 3), 6)
    assert state.buffered() == 6
    assert len(state.cut(6).records) == 6


def test_a_lost_interval_separates_batches_and_goes_with_the_one_after_it() -> None:
    state = _state()
    state.append(_records(0, 3), 3)
    assert state.lose(10) == (3, 10)
    state.append(_records(10, 2), 12)
    before, after = state.cut(state.due(100, None)), state.cut(state.due(100, None))
    assert (before.first, before.next, before.lost) == (0, 3, None)
    assert (after.first, after.next, after.lost) == (10, 12, (3, 10))


def test_a_lost_interval_with_nothing_behind_it_is_handed_out_alone() -> None:
    state = _state(4)
    state.lose(9)
    cut = state.cut(state.due(100, None))
    assert (cut.first, cut.next, cut.lost, cut.records) == (9, 9, (4, 9), [])
    assert state.position == 9


def test_a_lost_interval_before_records_that_are_not_due() -> None:
    state = _state(4)
    state.lose(9)
    state.append(_records(9, 2), 11)
    cut = state.cut(state.due(100, 0))
    assert (cut.first, cut.next, cut.lost, cut.records) == (9, 9, (4, 9), [])
    assert state.cut(state.due(100, None)).lost is None


def test_due_records_are_the_prefix_up_to_the_first_later_one() -> None:
    state = _state()
    state.append([Record(0, 10), Record(1, 30), Record(2, 20)], 3)
    assert state.due(100, 9) == 0
    assert state.due(100, 25) == 1
    assert state.due(100, 30) == 3
    assert state.due(2, 30) == 2
    cut = state.cut(1)
    assert (cut.first, cut.next) == (0, 1)


def test_an_empty_cut_stops_at_the_first_waiting_record() -> None:
    state = _state(2)
    state.append(_records(5, 1), 6)  # 2..4 were markers
    cut = state.cut_empty()
    assert (cut.first, cut.next, cut.records) == (2, 5, [])


def test_an_empty_cut_moves_past_markers_at_the_end() -> None:
    state = _state(2)
    state.fetched = 4
    cut = state.cut_empty()
    assert (cut.first, cut.next) == (2, 4)
    assert state.cut_empty().first == 4


def test_bytes_waiting_shrink_as_records_are_handed_out() -> None:
    state = _state()
    state.append(_records(0, 4), 4, 400)
    state.append(_records(4, 2), 6, 200)
    assert state.size() == 600
    state.cut(2)
    assert state.size() == 400
    state.cut(4)
    assert state.size() == 0
