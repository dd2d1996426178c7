"""Folding single changes: order, ties, repeats, cut-off, suppression."""

from typing import Any

import msgspec
import pytest

from tamis.domain.consent.fold import SALT_BYTES, fold, insert
from tamis.domain.consent.model import (
    KEPT_VERSIONS,
    ConsentChange,
    PurposeVersion,
    Status,
    SubjectRecord,
    heartbeat_key,
    is_heartbeat,
)

SALT = b"s" * SALT_BYTES
OTHER_SALT = b"t" * SALT_BYTES


def change(status: Status = Status.GRANTED, **values: Any) -> ConsentChange:
    given: dict[str, Any] = {
        "subject": "k", "identity": "person", "regulation": "gdpr", "choices": {"analytics": status},
        "effective_at": 1_000, "recorded_at": 2_000, "source": "canonical",
    } | values  # fmt: skip
    return ConsentChange(**given)


def statuses(record: SubjectRecord, scope: str = "gdpr/analytics") -> list[Status]:
    return [version.status for version in record.purposes[scope]]


def test_the_first_change_makes_a_record_with_the_salt() -> None:
    record = fold(None, change(), SALT)
    assert (record.revision, record.identity, record.suppressed_at) == (1, "person", None)
    assert record.salt == "c3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3M"
    assert statuses(record) == [Status.GRANTED]


def test_a_new_record_without_a_salt_is_a_fault() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        fold(None, change(), b"")


def test_the_salt_never_changes() -> None:
    record = fold(None, change(), SALT)
    assert fold(record, change(Status.DENIED, effective_at=5_000), OTHER_SALT).salt == record.salt


def test_newest_first_whatever_the_order_of_arrival() -> None:
    record = fold(None, change(Status.DENIED, effective_at=3_000), SALT)
    late = fold(record, change(Status.GRANTED, effective_at=1_500), b"")
    assert statuses(late) == [Status.DENIED, Status.GRANTED]
    assert late.revision == 2


def test_a_repeat_gives_the_same_object() -> None:
    record = fold(None, change(), SALT)
    assert fold(record, change(), b"") is record
    assert fold(record, change(recorded_at=9_999), b"") is record


def test_a_repeat_received_earlier_keeps_the_earlier_receipt() -> None:
    record = fold(fold(None, change(), SALT), change(recorded_at=1_500), b"")
    assert [v.recorded_at for v in record.purposes["gdpr/analytics"]] == [1_500]


def test_a_grant_delivered_again_does_not_overtake_a_refusal_of_the_same_moment() -> None:
    record = fold(fold(None, change(), SALT), change(Status.DENIED), b"")
    again = fold(record, change(recorded_at=99_000), b"")
    assert statuses(again)[0] is Status.DENIED


@pytest.mark.parametrize("first", [Status.GRANTED, Status.DENIED])
def test_refusal_wins_a_tie(first: Status) -> None:
    second = Status.DENIED if first is Status.GRANTED else Status.GRANTED
    record = fold(fold(None, change(first), SALT), change(second), b"")
    assert statuses(record) == [Status.DENIED, Status.GRANTED]


def test_the_sources_sequence_breaks_ties_of_time() -> None:
    record = fold(fold(None, change(Status.GRANTED, seq=2), SALT), change(Status.DENIED, seq=1), b"")
    assert statuses(record) == [Status.GRANTED, Status.DENIED]


def test_among_equal_grants_the_one_that_ends_earlier_comes_first() -> None:
    record = fold(fold(None, change(expires_at=9_000), SALT), change(), b"")
    assert [v.expires_at for v in record.purposes["gdpr/analytics"]] == [9_000, None]


def test_regulations_do_not_mix() -> None:
    record = fold(fold(None, change(), SALT), change(Status.DENIED, regulation="ccpa", effective_at=9_000), b"")
    assert statuses(record) == [Status.GRANTED]
    assert statuses(record, "ccpa/analytics") == [Status.DENIED]


def test_only_the_newest_versions_are_kept() -> None:
    record = fold(None, change(effective_at=0), SALT)
    for moment in range(1, 20):
        record = fold(record, change(effective_at=moment), b"")
    assert [v.effective_at for v in record.purposes["gdpr/analytics"]] == list(range(19, 11, -1))


def test_a_change_older_than_all_kept_ones_gives_the_same_object() -> None:
    record = fold(None, change(effective_at=100), SALT)
    for moment in range(101, 100 + KEPT_VERSIONS):
        record = fold(record, change(effective_at=moment), b"")
    assert fold(record, change(effective_at=1), b"") is record


def test_a_suppressed_record_stays_as_it_is() -> None:
    gone = SubjectRecord(salt="", revision=7, identity="person", purposes={}, suppressed_at=5_000)
    assert fold(gone, change(effective_at=99_000), SALT) is gone


def test_inserting_leaves_the_given_versions_alone() -> None:
    version = PurposeVersion(status=Status.GRANTED, effective_at=1, recorded_at=1, source="s")
    versions = (version,)
    longer = insert(versions, msgspec.structs.replace(version, effective_at=2))
    assert versions == (version,)
    assert len(longer) == 2


def test_heartbeat_keys_are_told_from_subject_keys() -> None:
    assert is_heartbeat(heartbeat_key(12))
    assert heartbeat_key(1) != heartbeat_key(2)
    assert not is_heartbeat(b"AAAAAAAAAAAAAAAAAAAAAA")
