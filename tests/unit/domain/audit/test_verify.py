"""Each named check fires on the tampering it is for, and names the place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tamis.domain.audit.log import AuditLog
from tamis.domain.audit.report import Check
from tamis.domain.audit.verify import LogVerifier
from tests.support.audit import LogWriter, edited, sample, verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.audit import Record

ORIGIN = "localhost/tamis/audit.log/p0/e1"
HEADS = [at for at, (is_head, _) in enumerate(sample()) if is_head]
GAP = HEADS[2] + 1


def test_an_honest_log_passes_with_its_totals() -> None:
    report = verify(sample())
    assert report.failure is None
    assert report.ok
    assert (report.log, report.leaves, report.heads, report.verified, report.tail) == (ORIGIN, 27, 5, 27, 0)
    assert (report.first, report.next, report.lost, report.repeats, report.begins) == (0, 32, 8, 0, 0)
    assert sum(report.outcomes.values()) == 26
    assert report.outcomes["accepted"] == 5
    assert report.root == json.loads(sample()[-1][1])["root"]


def test_a_log_without_records_passes() -> None:
    report = verify([])
    assert report.ok
    assert (report.log, report.leaves, report.root) == ("", 0, "")


def _outcome(value: dict[str, Any]) -> None:
    value["out"] = "denied" if value["out"] != "denied" else "accepted"


def _at(where: int, change: Callable[[dict[str, Any]], object]) -> Callable[[list[Record]], list[Record]]:
    return lambda log: [*log[:where], edited(log[where], change), *log[where + 1 :]]


def _set(**fields: object) -> Callable[[dict[str, Any]], None]:
    return lambda value: value.update(fields)


def _src(**fields: object) -> Callable[[dict[str, Any]], None]:
    return lambda value: value["src"].update(fields)


TAMPERINGS: dict[str, tuple[Callable[[list[Record]], list[Record]], Check, int]] = {
    "edit an outcome": (_at(9, _outcome), Check.ROOT, 6),
    "edit a reason": (_at(0, _set(why="no_record")), Check.ROOT, 0),
    "delete a leaf": (lambda log: log[:3] + log[4:], Check.SEQUENCE, 3),
    "delete the last leaf of a batch": (lambda log: log[:5] + log[6:], Check.SIZE, 0),
    "delete a head": (lambda log: log[: HEADS[0]] + log[HEADS[0] + 1 :], Check.SIZE, 0),
    "delete a whole batch": (lambda log: log[: HEADS[0] + 1] + log[HEADS[1] + 1 :], Check.SIZE, 6),
    "delete the beginning": (lambda log: log[2:], Check.BEGINNING, 0),
    "delete the first batch and its head": (lambda log: log[HEADS[0] + 1 :], Check.BEGINNING, 0),
    "reorder leaves": (lambda log: [log[1], log[0], *log[2:]], Check.BEGINNING, 0),
    "reorder leaves inside": (lambda log: [*log[:2], log[3], log[2], *log[4:]], Check.SEQUENCE, 2),
    "cut off within a batch": (lambda log: log[:-3], Check.TAIL, 18),
    "replay a batch at the end": (lambda log: log + log[HEADS[3] + 1 :], Check.SEQUENCE, 27),
    "replay a head": (lambda log: [*log, log[HEADS[1]]], Check.SIZE, 27),
    "relabel a leaf as a head": (lambda log: [(True, log[0][1]), *log[1:]], Check.SHAPE, 0),
    "relabel a head as a leaf": (lambda log: [*log[:6], (False, log[6][1]), *log[7:]], Check.SHAPE, 6),
    "a value that is not JSON": (lambda log: [*log[:4], (False, b"{"), *log[5:]], Check.SHAPE, 4),
    "a leaf that is not ASCII": (lambda log: [(False, log[0][1].replace(b"ccc", "é".encode())), *log[1:]],
                                 Check.SHAPE, 0),
    "a value nested without end": (lambda log: [*log[:4], (False, b'{"a":' + b"[" * 4000), *log[5:]], Check.SHAPE, 4),
    "a head that is not UTF-8": (lambda log: [*log[:6], (True, b"\x80" + log[6][1]), *log[7:]], Check.SHAPE, 0),
    "a leaf too large": (_at(4, _set(cm="c" * 5000)), Check.SHAPE, 4),
    "a leaf of another version": (_at(4, _set(v=2)), Check.SHAPE, 4),
    "an outcome nobody knows": (_at(4, _set(out="lost")), Check.SHAPE, 4),
    "another partition's leaf": (_at(4, _src(p=1)), Check.SOURCE, 4),
    "another topic's leaf": (_at(4, _src(t="events.held")), Check.SOURCE, 4),
    "another partition's head": (_at(HEADS[0], _set(log=ORIGIN.replace("p0", "p1"))), Check.SOURCE, 0),
    "a head of another epoch": (_at(HEADS[1], _set(log=ORIGIN.replace("e1", "e2"))), Check.SOURCE, 6),
    "a head of no log": (_at(HEADS[0], _set(log="events.raw/0")), Check.SOURCE, 0),
    "a gap leaf that covers more than its position": (_at(GAP, _set(lost=[12, 21])), Check.GAP, 14),
    "a gap leaf over what was decided": (_at(GAP, _set(lost=[11, 20])), Check.GAP, 14),
    "a gap leaf behind events": (_at(GAP + 2, _set(kind="gap", out="", lost=[21, 22])), Check.GAP, 16),
    "an epoch that begins within the log": (_at(4, _set(kind="epoch", out="")), Check.EPOCH, 4),
    "a leaf of an unknown kind": (_at(4, _set(kind="other", out="")), Check.SHAPE, 4),
    "a head of another version": (_at(HEADS[0], _set(v=2)), Check.SHAPE, 0),
    "a head with offsets backwards": (_at(HEADS[0], _set(next=-1)), Check.SHAPE, 0),
    "an event left out of a record": (_at(3, _src(i=2)), Check.ORDER, 3),
    "a record that begins at its second event": (_at(1, _src(i=1)), Check.ORDER, 1),
    "a source position moved back": (_at(9, _src(o=5)), Check.ORDER, 8),
    "a source offset that was done before": (_at(8, _src(o=1, i=0)), Check.REPEAT, 7),
    "back-dated": (_at(9, _set(ts=0)), Check.CLOCK, 8),
    "a back-dated head": (_at(HEADS[0], _set(received_at=0)), Check.CLOCK, 0),
    "a forged root": (_at(HEADS[0], _set(root="A" * 43 + "=")), Check.ROOT, 0),
    "forged peaks": (_at(HEADS[0], _set(peaks=["A" * 43 + "="] * 2)), Check.PEAKS, 0),
    "forged counts": (_at(HEADS[0], _set(counts={"accepted": 6})), Check.COUNTS, 0),
    "a head of fewer offsets than its leaves": (_at(HEADS[0], _set(next=4)), Check.WINDOW, 0),
    "offsets hidden between heads": (_at(HEADS[1], _set(first=6)), Check.WINDOW, 6),
    "lost input hidden": (_at(HEADS[3], _set(lost=None)), Check.OFFSETS, 14),
    "more lost than there was": (_at(HEADS[3], _set(lost=[9, 20])), Check.OFFSETS, 14),
    "lost input that does not reach the head's": (_at(HEADS[3], _set(lost=[12, 19])), Check.SHAPE, 14),
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_fires_its_check(name: str) -> None:
    tamper, check, leaf = TAMPERINGS[name]
    failure = verify(tamper(sample())).failure
    assert failure is not None
    assert (failure.check, failure.leaf) == (check, leaf), failure


ELSEWHERE = {
    Check.MANIFEST, Check.ATTESTATION, Check.TIME, Check.TOPIC, Check.SIGNATURE, Check.CHECKPOINT, Check.TILES,
    Check.WITNESS, Check.ANCHOR,
}  # fmt: skip


def test_every_check_of_a_log_by_itself_has_a_tampering() -> None:
    assert {check for _, check, _ in TAMPERINGS.values()} == set(Check) - ELSEWHERE


def test_a_root_failure_spans_its_batch_and_names_the_heads_record() -> None:
    failure = verify(_at(9, _outcome)(sample())).failure
    assert failure is not None
    assert (failure.leaf, failure.until, failure.record) == (6, 14, HEADS[1])


def test_all_leaves_are_counted_after_a_failure() -> None:
    report = verify(_at(0, _set(why="no_record"))(sample()))
    assert (report.leaves, report.verified, sum(report.outcomes.values())) == (27, 0, 26)


def test_another_partitions_whole_log_is_refused() -> None:
    failure = verify(sample(partition=1), partition=0).failure
    assert failure is not None
    assert failure.check is Check.SOURCE


def test_a_named_topic_is_insisted_on() -> None:
    verifier = LogVerifier(0, topic="events.held")
    verifier.feed(*sample()[0])
    failure = verifier.report().failure
    assert failure is not None
    assert failure.check is Check.SOURCE


@pytest.mark.parametrize("cut", [3, 5, 6, HEADS[0], HEADS[0] + 1, HEADS[1], HEADS[1] + 1, HEADS[2]])
def test_a_late_beginning_passes_only_when_told_and_says_what_it_did_not_verify(cut: int) -> None:
    log = sample()[cut:]
    assert not verify(log).ok
    report = verify(log, partial=True)
    assert report.ok, report.failure
    first_head = next(json.loads(value) for is_head, value in log if is_head)
    assert report.verified == 27 - first_head["n"]
    assert report.begins == 27 - report.leaves


@pytest.mark.parametrize("field", ["peaks", "root"])
def test_a_late_beginning_needs_a_head_that_agrees_with_itself(field: str) -> None:
    log = sample()[HEADS[0] :]
    changed = edited(log[0], lambda value: value.update({field: ["A" * 43 + "="] * 2 if field == "peaks" else "AAAA"}))
    failure = verify([changed, *log[1:]], partial=True).failure
    assert failure is not None
    assert failure.check is Check.PEAKS


def test_a_late_beginning_still_finds_what_is_wrong_behind_it() -> None:
    log = _at(HEADS[3] + 3, _outcome)(sample())[HEADS[0] + 1 :]
    failure = verify(log, partial=True).failure
    assert failure is not None
    assert (failure.check, failure.leaf) == (Check.ROOT, 18)


class TestAtLeastOnce:
    """A writer without transactions may repeat what it had written before it died."""

    def test_offsets_under_new_leaves_are_counted_as_repeats(self) -> None:
        writer = LogWriter()
        writer.batch([1, 2, 1])
        writer.batch([2, 1, 1], first=1)
        failure = verify(writer.records).failure
        assert failure is not None
        assert failure.check is Check.REPEAT
        report = verify(writer.records, at_least_once=True)
        assert report.ok, report.failure
        assert (report.repeats, report.verified, report.next) == (3, 8, 4)

    def test_leaves_whose_head_was_never_written_are_written_again(self) -> None:
        writer = LogWriter()
        writer.batch([1, 1])
        orphans = [(False, writer.leaf(2 + i, 2 + i, 0)) for i in range(2)]
        writer.records += orphans
        writer.batch([1, 1, 1])
        assert verify(writer.records).failure is not None
        report = verify(writer.records, at_least_once=True)
        assert report.ok, report.failure
        assert (report.leaves, report.verified, report.repeats) == (7, 5, 2)

    def test_a_tail_without_head_is_counted(self) -> None:
        report = verify(sample()[:-3], at_least_once=True)
        assert report.ok, report.failure
        assert report.tail == 7

    def test_an_edit_is_still_found(self) -> None:
        failure = verify(_at(9, _outcome)(sample()), at_least_once=True).failure
        assert failure is not None
        assert failure.check is Check.ROOT


def test_the_writers_own_state_agrees_with_the_report() -> None:
    writer = LogWriter()
    writer.batch([1] * 10)
    log = writer.log
    assert isinstance(log, AuditLog)
    report = verify(writer.records)
    assert (report.verified, report.next) == (log.seq, log.next)
