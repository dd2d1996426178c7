"""An event that waited: a refusal that is known when it is decided holds, though it came after the event's receipt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from tamis.domain.audit.log import AuditLog
from tamis.domain.consent.model import PurposeVersion, Status
from tamis.domain.consent.verdict import NOTHING_YET, Said, as_known, said_at
from tamis.records.batch import RawBatch
from tests.support.core import ConsentTable, StoredRecord, small_bundle, small_intake, track

if TYPE_CHECKING:
    from collections.abc import Sequence

RECEIVED = 1_795_319_504_084
BEFORE, AFTER, LATER = RECEIVED - 3_600_000, RECEIVED + 60_000, RECEIVED + 120_000
GRANTED, DENIED, WITHDRAWN = Status.GRANTED, Status.DENIED, Status.WITHDRAWN


def versions(*said: tuple[Status, int]) -> tuple[PurposeVersion, ...]:
    """Newest first."""
    return tuple(PurposeVersion(status=s, effective_at=at, recorded_at=at, source="test") for s, at in reversed(said))


def known(*said: tuple[Status, int]) -> Said:
    kept = versions(*said)
    return as_known(kept, said_at(kept, RECEIVED, 0)[0], 0)


@pytest.mark.parametrize("refusal", [DENIED, WITHDRAWN])
def test_a_refusal_since_then_holds(refusal: Status) -> None:
    assert known((GRANTED, BEFORE), (refusal, AFTER)).status == refusal
    assert known((refusal, AFTER)).status == refusal
    assert known((GRANTED, BEFORE), (GRANTED, AFTER), (refusal, LATER)).status == refusal


def test_a_yes_since_then_changes_nothing() -> None:
    assert known((GRANTED, AFTER)) == NOTHING_YET
    assert known((WITHDRAWN, BEFORE), (GRANTED, AFTER)).status == WITHDRAWN
    assert known((GRANTED, BEFORE), (WITHDRAWN, AFTER), (GRANTED, LATER)).status == GRANTED
    assert known((GRANTED, BEFORE)) == said_at(versions((GRANTED, BEFORE)), RECEIVED, 0)[0]


def sent(said: Sequence[tuple[Status, int]]) -> int:
    """Clean records of an event that was received at ``RECEIVED``."""
    consent = ConsentTable()
    consent.set_device("device-1", analytics=GRANTED)
    for key, record in consent.records.items():
        consent.records[key] = replace(record, purposes={"gdpr/analytics": versions(*said)})
    event = StoredRecord(0, RECEIVED, track("m-1", timestamp="2026-11-22T03:51:44.084Z"))
    batch = RawBatch("events.raw", 0, [event], 0, 1, RECEIVED)
    return len(small_intake(consent, small_bundle()).process(AuditLog("events.raw/0"), batch).outputs["events.clean"])


def test_nothing_of_a_backlog_leaves_after_a_withdrawal_is_known() -> None:
    assert sent([(GRANTED, BEFORE)]) == 1
    assert sent([(GRANTED, BEFORE), (WITHDRAWN, AFTER)]) == 0
    assert sent([(GRANTED, BEFORE), (WITHDRAWN, AFTER), (GRANTED, LATER)]) == 1
