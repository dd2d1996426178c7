from __future__ import annotations

import time
from dataclasses import dataclass

from tamis.streaming.transport.clock import RecordClock, WallClock


@dataclass(frozen=True)
class Record:
    timestamp: int


def test_the_wall_clock_ignores_records() -> None:
    clock = WallClock()
    clock.saw("t", [Record(1)])
    assert abs(clock.read("t") - time.time() * 1000) < 1_000


def test_the_record_clock_knows_no_time_before_the_first_record() -> None:
    assert RecordClock().read("t") is None


def test_the_record_clock_never_goes_back_and_keeps_topics_apart() -> None:
    clock = RecordClock()
    clock.saw("t", [Record(5), Record(9), Record(7)])
    clock.saw("t", [Record(3)])
    clock.saw("u", [Record(1)])
    clock.saw("u", [])
    assert (clock.read("t"), clock.read("u")) == (9, 1)


def test_a_topic_of_which_nothing_was_handed_out_has_the_time_of_what_waits_first() -> None:
    clock = RecordClock()
    clock.waits("t", Record(5))
    clock.waits("t", Record(9))
    assert clock.read("t") == 5
    clock.saw("t", [Record(7)])
    clock.waits("t", Record(9))
    assert clock.read("t") == 7
    WallClock().waits("t", Record(1))
