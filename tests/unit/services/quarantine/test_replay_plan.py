"""Which refused records may be sent again is told from their entries."""

from collections.abc import Iterator
from typing import Any

import msgspec

from tamis.domain.quarantine import QuarantineEntry, QuarantineSealer
from tamis.services.quarantine.entries import Stored, Wanted
from tamis.services.quarantine.replay_plan import Plan, Skip, choose
from tamis.services.quarantine.summary import summarise

SEALER = QuarantineSealer(lambda day: day.encode().ljust(32, b"."), b"p" * 32)
_offsets: Iterator[int] = iter(range(1 << 30))


def stored(offset: int, index: int = 0, reason: str = "bad_time", **more: Any) -> Stored:
    fields: dict[str, Any] = {
        "stage": "decode", "reason": reason, "path": "$.timestamp", "message": "", "topic": "events.raw",
        "partition": 1, "offset": offset, "index": index, "received_at": 1_000 + offset, "original": b"{}",
    } | more  # fmt: skip
    key, value = SEALER.entry(**fields)
    return Stored(1, next(_offsets), key, msgspec.json.decode(value, type=QuarantineEntry))


def plan(*found: Stored, done: frozenset[bytes] = frozenset(), **wanted: Any) -> Plan:
    return choose(found, Wanted(**wanted), done)


def refused(found: Plan) -> list[set[int]]:
    return [chosen.refused for chosen in found.records.get(1, {}).values()]


def test_a_record_is_one_whatever_the_number_of_its_events() -> None:
    found = plan(stored(7, 2), stored(7, 4, kept_before=True), stored(8))
    assert refused(found) == [{2, 4}, {0}]
    assert found.count() == 2


def test_choosing_a_later_event_chooses_its_record() -> None:
    first, later = stored(7, 0, "wrong_type"), stored(7, 3, "bad_time", kept_before=True)
    found = plan(first, later, stored(8, 0, "wrong_type"), fields={"reason": frozenset({"bad_time"})})
    assert refused(found) == [{0, 3}]
    assert next(iter(found.records[1].values())).key == first.key


def test_what_was_sent_before_or_was_cut_does_not_go_again() -> None:
    sent, cut = stored(1), stored(2, original=b"x" * 300_000)
    found = plan(sent, cut, stored(3, kept_before=True), done=frozenset({sent.key}))
    assert found.skipped == {Skip.REPLAYED: 1, Skip.CUT: 1, Skip.NO_ORIGINAL: 1}
    assert not found.count()


def test_a_conflict_goes_only_when_asked_for() -> None:
    assert plan(stored(1, reason="conflict")).skipped == {Skip.CONFLICT: 1}
    assert plan(stored(1, reason="conflict"), fields={"reason": frozenset({"conflict"})}).count() == 1


def test_only_a_refusal_at_the_root_is_one_of_the_whole_record() -> None:
    whole, part = stored(1, reason="too_many_events", path="$"), stored(2, reason="unknown_envelope", path="$.batch[0]")
    found = plan(whole, part)
    assert [chosen.whole for chosen in found.records[1].values()] == [True, False]


def test_filters_are_of_time_partition_and_words() -> None:
    entries = [stored(n) for n in range(4)]
    assert plan(*entries, since=1_001, until=1_003).count() == 2
    assert plan(*entries, partitions=frozenset({0})).count() == 0
    assert plan(*entries, fields={"source": frozenset({"consent.raw"})}).count() == 0
    assert plan(*entries, fields={"stage": frozenset({"decode", "dedupe"})}).count() == 4


def test_a_summary_counts_events_records_and_reasons() -> None:
    entries = [stored(1), stored(1, 1, "wrong_type", kept_before=True), stored(2), stored(3, partition=0)]
    by_partition = summarise(entries, ["partition"])
    assert [(group.values, group.entries, group.records, group.first, group.last) for group in by_partition] == [
        (("1",), 3, 2, 1_001, 1_002), (("0",), 1, 1, 1_003, 1_003),
    ]  # fmt: skip
    assert by_partition[0].reasons == {"bad_time at $.timestamp": 2, "wrong_type at $.timestamp": 1}
    assert by_partition[0].examples[-1] == "events.raw/1/2/0"
    assert [group.values for group in summarise(entries, ["reason", "source"])] == [
        ("bad_time", "events.raw"), ("wrong_type", "events.raw"),
    ]  # fmt: skip
