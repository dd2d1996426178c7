"""Repeats through the core: one outcome and one leaf each, nothing sent twice, a conflict kept for somebody to look."""

from __future__ import annotations

from typing import Any

import msgspec

from tamis.domain.audit.log import AuditLog
from tamis.domain.consent.model import Status
from tamis.records.batch import Emissions, RawBatch
from tamis.stores.sightings.memory import MemorySightings
from tests.support.core import START, ConsentTable, StoredRecord, small_intake, track


def run(*values: bytes, known: MemorySightings | None = None, repeats: bool = True) -> Emissions:
    consent = ConsentTable()
    consent.set_device("device-1", analytics=Status.GRANTED, marketing=Status.GRANTED)
    records = [StoredRecord(number, START, value) for number, value in enumerate(values)]
    batch = RawBatch("events.raw", 3, records, 0, len(records), START)
    return small_intake(consent).process(
        AuditLog("events.raw/3"), batch, (known or MemorySightings(60)) if repeats else None
    )


def leaves(out: Emissions) -> list[dict[str, Any]]:
    return [msgspec.json.decode(leaf) for leaf in out.leaves]


FIRST = track()
LATER = track(sentAt="2027-01-01T00:00:00Z")
OTHER = track(properties={"plan": "another"})


def test_a_duplicate_is_counted_and_audited_and_not_sent() -> None:
    out = run(FIRST, LATER, FIRST)
    assert [(leaf["out"], leaf["why"]) for leaf in leaves(out)] == [
        ("accepted", "granted"), ("duplicate", "duplicate"), ("duplicate", "duplicate")
    ]  # fmt: skip
    assert len({leaf["eid"] for leaf in leaves(out)}) == 1
    assert len(out.outputs["events.clean"]) == 1
    assert out.outputs["events.quarantine"] == []
    assert out.tally.by_outcome() == {"accepted": 1, "duplicate": 2}
    assert len(out.outputs["dedupe.log"]) == 1


def test_a_conflict_is_quarantined_with_its_original() -> None:
    out = run(FIRST, OTHER)
    assert [leaf["out"] for leaf in leaves(out)] == ["accepted", "conflict"]
    ((_, value),) = out.outputs["events.quarantine"]
    entry = msgspec.json.decode(value)
    assert (entry["stage"], entry["reason"], entry["offset"]) == ("dedupe", "conflict", 1)
    assert (entry["vendor"], entry["site"]) == ("segment", "shop")
    assert b"another" not in value
    assert len(out.outputs["events.clean"]) == 1


def test_what_is_quarantined_is_not_remembered() -> None:
    out = run(FIRST, OTHER, b"{", OTHER)
    assert [leaf["out"] for leaf in leaves(out)] == ["accepted", "conflict", "invalid", "conflict"]
    assert sum(len(entries) for entries in out.fresh.values()) == 1


def test_what_was_denied_is_a_repeat_when_it_comes_again() -> None:
    out = run(track(anonymousId="nobody"), track(anonymousId="nobody"))
    assert [leaf["out"] for leaf in leaves(out)] == ["denied", "duplicate"]


def test_a_repeat_of_an_earlier_batch_is_found() -> None:
    known = MemorySightings(60)
    for minute, entries in run(FIRST, known=known).fresh.items():
        known.add(minute, b"".join(entries))
    assert [leaf["out"] for leaf in leaves(run(LATER, OTHER, known=known))] == ["duplicate", "conflict"]


def test_a_batch_done_again_gives_the_same() -> None:
    known = MemorySightings(60)
    once, again = run(FIRST, LATER, known=known), run(FIRST, LATER, known=known)
    assert (once.leaves, once.outputs, once.head) == (again.leaves, again.outputs, again.head)


def test_without_sightings_nothing_is_a_repeat() -> None:
    out = run(FIRST, FIRST, repeats=False)
    assert [leaf["out"] for leaf in leaves(out)] == ["accepted", "accepted"]
    assert "dedupe.log" not in out.outputs
