"""Records made at first sight: once, with a salt, gone after 30 days without a word, never against erasure."""

from collections.abc import Iterable

import msgspec
import pytest

from tamis.domain.consent.first_sight import PROVISIONAL_MS, FirstSights, expired, sighted
from tamis.domain.consent.fold import SALT_BYTES
from tamis.domain.consent.folding import Folder, FoldState
from tamis.domain.consent.model import (
    ChangesHeartbeat,
    ConsentChange,
    FirstSight,
    IdentityLink,
    Link,
    Status,
    SubjectRecord,
)
from tests.support.core import small_retractor

AT = 1_000_000
Change = FirstSight | ConsentChange | IdentityLink


class Row(msgspec.Struct):
    value: bytes | None
    key: bytes | None = None


def rows(*changes: Change | ChangesHeartbeat) -> list[Row]:
    return [Row(msgspec.json.encode(change)) for change in changes]


def sight(subject: str = "s", at: int = AT) -> FirstSight:
    return FirstSight(subject=subject, identity="device", at=at)


def beat(clock: int) -> ChangesHeartbeat:
    return ChangesHeartbeat(partition=0, of=1, clock=clock)


def fold(table: dict[bytes, bytes], state: FoldState, found: Iterable[Row]) -> int:
    return Folder(1, lambda: b"x" * SALT_BYTES, small_retractor()).batch(0, list(found), table, state).changed


def stored(table: dict[bytes, bytes], subject: str = "s") -> SubjectRecord | None:
    value = table.get(subject.encode())
    return None if value is None else msgspec.json.decode(value, type=SubjectRecord)


def test_a_first_sight_makes_a_record_with_a_salt_that_says_nothing() -> None:
    table: dict[bytes, bytes] = {}
    assert fold(table, FoldState(), rows(sight(), sight(at=AT + 5))) == 1
    record = stored(table)
    assert record is not None
    assert record.salt
    assert (record.revision, record.identity, record.purposes) == (1, "device", {})
    assert record.provisional_until == AT + PROVISIONAL_MS


def test_it_expires_after_thirty_days_of_consent_time_and_may_come_again() -> None:
    table: dict[bytes, bytes] = {}
    state = FoldState()
    fold(table, state, rows(sight(), beat(AT + PROVISIONAL_MS - 1)))
    assert stored(table)
    assert fold(table, state, rows(beat(AT + PROVISIONAL_MS + 2_000))) == 1
    assert stored(table) is None
    assert state.sights is not None
    assert (state.sights.made, state.sights.gone) == (1, 1)
    fold(table, state, rows(sight(at=AT + PROVISIONAL_MS + 3_000)))
    assert stored(table)


@pytest.mark.parametrize("said", [
    ConsentChange(subject="s", identity="device", regulation="gdpr", choices={"a": Status.DENIED},
                  effective_at=AT, recorded_at=AT, source="t"),
    IdentityLink(subject="s", identity="device", other="p", since=AT),
])  # fmt: skip
def test_what_was_said_or_linked_keeps_the_record_and_its_salt(said: Change) -> None:
    table: dict[bytes, bytes] = {}
    state = FoldState()
    fold(table, state, rows(sight()))
    before = stored(table)
    fold(table, state, rows(said, beat(AT + 2 * PROVISIONAL_MS)))
    after = stored(table)
    assert before is not None
    assert after is not None
    assert after.salt == before.salt


@pytest.mark.parametrize("more", [
    {"suppressed_at": 5}, {"restricted_at": 5}, {"links": (Link("p", 1),)}, {"provisional_until": None},
])  # fmt: skip
def test_only_what_says_nothing_expires(more: dict[str, object]) -> None:
    record = msgspec.structs.replace(sighted(sight(), b"x" * SALT_BYTES), **more)
    assert not expired(record, 1 << 60)


def test_a_suppressed_subject_is_not_made_anew() -> None:
    suppressed = SubjectRecord(salt="", revision=4, identity="device", purposes={}, suppressed_at=7)
    table = {b"s": msgspec.json.encode(suppressed)}
    assert fold(table, FoldState(), rows(sight())) == 0
    assert stored(table) == suppressed


def test_a_new_owner_finds_what_is_to_expire_among_its_own_keys() -> None:
    table: dict[bytes, bytes] = {}
    fold(table, FoldState(), rows(sight("mine"), sight("other")))
    sights = FirstSights(lambda key: key == b"mine", table.items())
    assert sights.sweep(table, AT + PROVISIONAL_MS) == 1
    assert list(table) == [b"other"]


def test_nothing_expires_while_the_time_of_consent_is_unknown() -> None:
    table: dict[bytes, bytes] = {}
    fold(table, FoldState(), rows(sight(at=0)))
    assert stored(table)
