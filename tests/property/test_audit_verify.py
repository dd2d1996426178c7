"""Whatever the batches, an honest log passes; whatever single change is made to it, it does not."""

from __future__ import annotations

import json

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.support.audit import LogWriter, Record, verify

BATCHES = st.lists(st.lists(st.integers(0, 3), max_size=12), min_size=1, max_size=8)


def written(batches: list[list[int]]) -> list[Record]:
    """A log of these batches that holds at least one leaf and ends with it under a head."""
    writer = LogWriter()
    for events in [*batches, [1]]:
        writer.clock += 61_000
        writer.batch(events)
    return writer.records


@given(BATCHES)
@settings(max_examples=100, deadline=None)
def test_an_honest_log_passes_and_its_counts_add_up(batches: list[list[int]]) -> None:
    report = verify(written(batches))
    assert report.ok, report.failure
    assert report.verified == report.leaves == sum(map(sum, batches)) + 1
    assert sum(report.outcomes.values()) == report.leaves


@given(BATCHES, st.data())
@settings(max_examples=300, deadline=None)
def test_one_changed_byte_fails(batches: list[list[int]], data: st.DataObject) -> None:
    log = written(batches)
    at = data.draw(st.integers(0, len(log) - 1))
    is_head, value = log[at]
    byte = data.draw(st.integers(0, len(value) - 1))
    changed = value[:byte] + bytes([data.draw(st.integers(0, 255))]) + value[byte + 1 :]
    assume(changed != value)
    if is_head:
        assume(not _same_head(value, changed))
    assert not verify([*log[:at], (is_head, changed), *log[at + 1 :]]).ok


@given(BATCHES, st.data())
@settings(max_examples=200, deadline=None)
def test_a_record_taken_out_doubled_or_moved_fails(batches: list[list[int]], data: st.DataObject) -> None:
    log = written(batches)
    at = data.draw(st.integers(0, len(log) - 2))
    kind = data.draw(st.sampled_from(["delete", "double", "move"]))
    rest = [*log[:at], *log[at + 1 :]]
    to = {"delete": None, "double": at, "move": data.draw(st.integers(0, len(rest)))}[kind]
    tampered = rest if to is None else [*(log if kind == "double" else rest)]
    if to is not None:
        tampered.insert(to, log[at])
    assume(tampered != log)
    assume(at or not log[at][0])  # what no leaf followed yet has no beginning to compare with
    assume(not (log[at][0] and json.loads(log[at][1])["first"] == json.loads(log[at][1])["next"]))
    assert not verify(tampered).ok


def _same_head(value: bytes, changed: bytes) -> bool:
    """A changed byte that leaves the head's meaning alone, or changes what only later signatures protect."""
    try:
        old, new = json.loads(value), json.loads(changed)
    except ValueError:
        return False
    if not isinstance(new, dict):
        return False
    ignored = ("received_at", "first", "next", "lost", "counts")
    unsaid = {"sig": "", "wk": "", "v": 1}  # a member of another name is none, and these need not be there
    return all(old[key] == new.get(key, unsaid.get(key)) for key in old if key not in ignored)
