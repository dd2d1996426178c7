"""When a stored record began to refuse: from the receipt of what was newly refused, nothing else counts."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tamis.domain.consent.model import PurposeVersion, Status, SubjectRecord
from tamis.stores.refusals import may_refuse, refused_since
from tamis.stores.replica import ReplicaWriter
from tests.support.replica import IDENTITY, record, row

YES = record()


def encoded(value: SubjectRecord) -> bytes:
    return msgspec.json.encode(value)


def refusing(*statuses: Status, received: int = 7_000) -> SubjectRecord:
    """The record after so many statements, the newest first."""
    versions = tuple(
        PurposeVersion(status=status, effective_at=5_000 - n, recorded_at=received - n, source="s")
        for n, status in enumerate(statuses)
    )
    return msgspec.structs.replace(YES, purposes={"gdpr/analytics": (*versions, *YES.purposes["gdpr/analytics"])})


@pytest.mark.parametrize(
    ("before", "after", "since"),
    [
        (YES, refusing(Status.WITHDRAWN), 7_000),
        (YES, refusing(Status.DENIED), 7_000),
        (YES, refusing(Status.GRANTED), None),
        (YES, refusing(Status.GRANTED, Status.WITHDRAWN), None),
        (refusing(Status.WITHDRAWN), refusing(Status.DENIED, Status.WITHDRAWN), None),
        (None, refusing(Status.WITHDRAWN), None),
        (YES, msgspec.structs.replace(YES, restricted_at=9_000), 9_000),
        (YES, msgspec.structs.replace(YES, restricted_at=9_000, lifted_at=9_500), None),
        (YES, SubjectRecord(salt="", revision=2, identity="person", purposes={}, suppressed_at=8_000), 8_000),
        (
            SubjectRecord(salt="", revision=2, identity="person", purposes={}, suppressed_at=8_000),
            SubjectRecord(salt="", revision=3, identity="person", purposes={}, suppressed_at=7_500),
            None,
        ),
    ],
    ids=["withdrawn", "denied", "yes", "older", "again", "new", "restricted", "lifted", "erased", "erased before"],
)
def test_since(before: SubjectRecord | None, after: SubjectRecord, since: int | None) -> None:
    assert refused_since(None if before is None else encoded(before), encoded(after)) == since
    assert since is None or may_refuse(encoded(after))


def test_a_record_that_grants_everything_is_not_looked_into() -> None:
    assert not may_refuse(encoded(YES))


def test_the_writer_tells_what_each_step_newly_refused(tmp_path: Path) -> None:
    writer = ReplicaWriter(tmp_path / "replica", IDENTITY)
    withdrawn = refusing(Status.WITHDRAWN)
    writer.apply([row(0, "a", YES), row(1, "b", withdrawn)], {0: 2}, 1_000, caught_up=True)
    assert writer.refused == [], "what was there before it had caught up is no news"
    writer.apply(
        [row(2, "a", withdrawn), row(3, "b", withdrawn), row(4, "c", withdrawn)], {0: 5}, 2_000, caught_up=True
    )
    assert writer.refused == [7_000]
    writer.apply([row(5, "a", withdrawn)], {0: 6}, 3_000, caught_up=True)
    assert writer.refused == []
    writer.close()
