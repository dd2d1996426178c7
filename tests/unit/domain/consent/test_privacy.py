"""Erasure and restriction of records, how erasure spreads, receipts."""

from __future__ import annotations

import msgspec
import pytest

from tamis.domain.consent.fold import SALT_BYTES, fold
from tamis.domain.consent.model import ConsentChange, Erasure, IdentityLink, Restriction, Status, SubjectRecord
from tamis.domain.consent.privacy import erase, restrict
from tamis.domain.consent.spread import receipts, spread
from tamis.domain.consent.verdict import state_of

SALT = b"s" * SALT_BYTES
ERASURE = Erasure(subject="p", identity="person", at=100, request="r1")


def grant(at: int = 5, other: str = "") -> ConsentChange:
    return ConsentChange(
        subject="p", identity="person", regulation="gdpr", choices={"marketing": Status.GRANTED}, effective_at=at,
        recorded_at=at, source="s", other=other,
    )  # fmt: skip


def restriction(at: int, *, lifted: bool = False) -> Restriction:
    return Restriction(subject="p", identity="person", at=at, request="r", lifted=lifted)


def passed(
    before: SubjectRecord | None, after: SubjectRecord, change: ConsentChange | IdentityLink | Erasure
) -> list[Erasure]:
    return [msgspec.json.decode(value, type=Erasure) for _, value in spread(before, after, change)]


def test_erasure_leaves_a_keyed_id_and_no_more() -> None:
    record = fold(None, grant(other="d"), SALT)
    after = erase(record, ERASURE)
    assert msgspec.json.decode(msgspec.json.encode(after)) == {
        "salt": "", "revision": 2, "identity": "person", "purposes": {}, "suppressed_at": 100, "erased_by": "r1",
    }  # fmt: skip
    assert state_of(after) == "erased"


def test_nothing_said_later_or_earlier_brings_it_back() -> None:
    after = erase(None, ERASURE)
    assert fold(after, grant(500), SALT) is after
    assert fold(after, IdentityLink(subject="p", identity="person", other="d", since=1), SALT) is after
    assert restrict(after, restriction(500), SALT) is after


def test_the_first_request_counts_in_any_order() -> None:
    second = Erasure(subject="p", identity="person", at=200, request="r2")
    for order in ((ERASURE, second), (second, ERASURE)):
        record = None
        for each in order:
            record = erase(record, each)
        assert record is not None
        assert (record.suppressed_at, record.erased_by) == (100, "r1")
        assert erase(record, ERASURE) is record


def test_restriction_holds_until_it_is_lifted_later() -> None:
    record = restrict(fold(None, grant(), SALT), restriction(10), b"")
    assert state_of(record) == "restricted"
    assert state_of(restrict(record, restriction(10, lifted=True), b"")) == "restricted", "both of one moment"
    lifted = restrict(record, restriction(11, lifted=True), b"")
    assert (state_of(lifted), lifted.revision) == ("", record.revision + 1)
    assert restrict(lifted, restriction(9), b"") is lifted
    assert state_of(restrict(lifted, restriction(12), b"")) == "restricted"


def test_somebody_unknown_can_be_restricted() -> None:
    record = restrict(None, restriction(10), SALT)
    assert (state_of(record), record.purposes, bool(record.salt)) == ("restricted", {}, True)
    with pytest.raises(ValueError, match="salt"):
        restrict(None, restriction(10), b"")


def test_erasure_of_a_person_reaches_its_devices() -> None:
    record = fold(None, grant(other="d1"), SALT)
    record = fold(record, IdentityLink(subject="p", identity="person", other="d2", since=7), b"")
    found = passed(record, erase(record, ERASURE), ERASURE)
    assert found == [Erasure(subject=device, identity="device", at=100, request="r1") for device in ("d1", "d2")]


def test_a_device_does_not_erase_its_persons() -> None:
    link = IdentityLink(subject="d", identity="device", other="p", since=7)
    record = fold(None, link, SALT)
    change = Erasure(subject="d", identity="device", at=100, request="r1")
    assert passed(record, erase(record, change), change) == []


def test_an_older_link_that_arrives_late_is_followed_a_newer_one_is_not() -> None:
    gone = erase(None, ERASURE)
    for since, expected in ((100, ["d"]), (101, [])):
        link = IdentityLink(subject="p", identity="person", other="d", since=since)
        assert [each.subject for each in passed(gone, fold(gone, link, SALT), link)] == expected
        said = grant(since, other="d")
        assert [each.subject for each in passed(gone, fold(gone, said, SALT), said)] == expected


def test_links_of_others_pass_nothing_on() -> None:
    link = IdentityLink(subject="p", identity="person", other="d", since=1)
    assert passed(None, fold(None, link, SALT), link) == []


def test_each_request_gives_one_receipt() -> None:
    record = fold(None, grant(), SALT)
    after = erase(record, ERASURE)
    assert [(each.request, each.records) for each in receipts(record, after, ERASURE)] == [("r1", 1)]
    assert list(receipts(after, erase(after, ERASURE), ERASURE)) == []
    again = Erasure(subject="p", identity="person", at=200, request="r2")
    assert [(each.request, each.records) for each in receipts(after, erase(after, again), again)] == [("r2", 0)]
    assert [each.records for each in receipts(None, erase(None, ERASURE), ERASURE)] == [0]
