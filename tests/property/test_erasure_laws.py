"""Laws of erasure: any order of arrival ends in the same records, and nothing of an erased person opens again."""

from __future__ import annotations

from collections import deque

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.domain.consent.fold import SALT_BYTES
from tamis.domain.consent.folding import Folder, FoldState
from tamis.domain.consent.model import ConsentChange, Erasure, IdentityLink, Restriction, Status, SubjectRecord
from tamis.domain.consent.retraction import Change, Retraction, RetractionReason, Retractor
from tamis.domain.consent.verdict import state_of
from tamis.domain.pseudonym import Pseudonymiser, commitment_key
from tamis.domain.subject import Subject, salt_of
from tests.support.core import StoredRecord, small_bundle

PERSON, DEVICES = "p", ("d", "e")
IDENTITY = {PERSON: "person"} | dict.fromkeys(DEVICES, "device")
ERASED_AT = 4
KEYS = {domain: Pseudonymiser(domain, "1", b"k" * 32) for domain in ("clean", "hubspot", "audit")}
ERASURE = Erasure(subject=PERSON, identity="person", at=ERASED_AT, request="r")


def _said(subject: str, other: str, at: int, choices: dict[str, Status]) -> ConsentChange:
    return ConsentChange(
        subject=subject, identity=IDENTITY[subject], regulation="gdpr", choices=choices, effective_at=at,
        recorded_at=at, source="s", other=other,
    )  # fmt: skip


choices = st.dictionaries(st.sampled_from(["analytics", "marketing"]), st.sampled_from(Status), min_size=1)
times = st.integers(0, 8)
pairs = st.tuples(st.sampled_from(DEVICES), times, choices).map(
    lambda x: [_said(PERSON, x[0], x[1], x[2]), _said(x[0], PERSON, x[1], x[2])]
)
alone = st.tuples(st.sampled_from(sorted(IDENTITY)), times, choices).map(lambda x: [_said(x[0], "", x[1], x[2])])
links = st.tuples(st.sampled_from(DEVICES), times).map(
    lambda x: [
        IdentityLink(subject=PERSON, identity="person", other=x[0], since=x[1]),
        IdentityLink(subject=x[0], identity="device", other=PERSON, since=x[1]),
    ]
)
restrictions = st.tuples(st.sampled_from(sorted(IDENTITY)), times, st.booleans()).map(
    lambda x: [Restriction(subject=x[0], identity=IDENTITY[x[0]], at=x[1], request="q", lifted=x[2])]
)
stories = st.lists(st.one_of(pairs, alone, links, restrictions), max_size=12).map(
    lambda found: [change for group in found for change in group]
)


class World(dict[bytes, bytes]):
    """The table of a fold agent whose own changes come back to it, as they do over ``consent.changes``."""

    def __init__(self, changes: list[Change]) -> None:
        super().__init__()
        self.told: list[Retraction] = []
        self.receipts: list[str] = []
        self._salts = 0
        folder = Folder(1, self._salt, Retractor(small_bundle(), self._pseudonyms))
        waiting, state = deque(msgspec.json.encode(change) for change in changes), FoldState()
        while waiting:
            out = folder.batch(0, [StoredRecord(0, 0, waiting.popleft())], self, state)
            waiting += [value for _, value in out.changes]
            self.told += [msgspec.json.decode(value, type=Retraction) for _, value in out.retractions]
            self.receipts += [receipt.request for receipt in out.receipts]

    def _salt(self) -> bytes:
        self._salts += 1
        return self._salts.to_bytes(SALT_BYTES, "big")

    @staticmethod
    def _pseudonyms(domain: str, salt: bytes, subject: str) -> tuple[str, ...]:
        return (KEYS[domain].pseudonym(salt, subject),)

    def record(self, subject: str) -> SubjectRecord | None:
        stored = self.get(subject.encode())
        return None if stored is None else msgspec.json.decode(stored, type=SubjectRecord)

    def meaning(self) -> dict[str, object]:
        """The records without what depends on the order by design: salts and revisions."""
        found = {subject: self.record(subject) for subject in IDENTITY}
        return {
            subject: record and msgspec.structs.replace(record, salt="x" if record.salt else "", revision=0)
            for subject, record in found.items()
        }


@given(stories.flatmap(lambda story: st.tuples(st.permutations([*story, ERASURE]), st.permutations([*story, ERASURE]))))
def test_any_order_of_arrival_ends_in_the_same_records(case: tuple[list[Change], list[Change]]) -> None:
    assert World(case[0]).meaning() == World(case[1]).meaning()


@given(stories.flatmap(lambda story: st.permutations([*story, ERASURE])))
def test_the_person_and_the_devices_linked_before_are_erased_and_no_others(story: list[Change]) -> None:
    linked = {
        change.other
        for change in story
        if change.subject == PERSON
        and isinstance(change, ConsentChange | IdentityLink)
        and (change.since if isinstance(change, IdentityLink) else change.effective_at) <= ERASED_AT
    }
    world = World(story)
    for subject in IDENTITY:
        record = world.record(subject)
        if subject == PERSON or subject in linked:
            assert record is not None
            assert (state_of(record), record.suppressed_at, record.erased_by) == ("erased", ERASED_AT, "r")
        else:
            assert record is None or state_of(record) != "erased"
    assert set(world.receipts) == {"r"}


@given(stories, stories)
def test_nothing_of_an_erased_person_opens_again(before: list[Change], after: list[Change]) -> None:
    """No salt comes back, so no pseudonym and no commitment of before can be made again, nor a new one."""
    living = World(before)
    record = living.record(PERSON)
    world = World([*before, ERASURE, *after])
    gone = world.record(PERSON)
    assert gone is not None
    assert (gone.salt, gone.purposes, gone.links) == ("", {}, ())
    subject = Subject(PERSON, gone, None, ("device",), KEYS)
    assert (subject.pid, subject.commit_pads) == (None, None)
    with pytest.raises(ValueError, match="salt"):
        subject.pseudonym("hubspot")
    if record is not None and record.salt:
        salt = salt_of(record)
        old = {KEYS[domain].pseudonym(salt, PERSON) for domain in ("clean", "hubspot")}
        told = {each.subject for each in world.told if each.reason is RetractionReason.ERASURE}
        assert old <= told, "each destination is told, under the pseudonym it has"
        kept = b"".join(world.values())
        assert record.salt.encode() not in kept
        assert commitment_key(salt).hex().encode() not in kept


@given(stories, stories)
def test_nothing_is_told_of_an_erased_person_later(before: list[Change], after: list[Change]) -> None:
    until, whole = World([*before, ERASURE]), World([*before, ERASURE, *after])
    mine = {KEYS[domain].prefix for domain in KEYS}
    assert mine
    later = whole.told[len(until.told) :]
    record = World(before).record(PERSON)
    names = set() if record is None else {KEYS[d].pseudonym(salt_of(record), PERSON) for d in ("clean", "hubspot")}
    assert not {each.subject for each in later} & names
