"""Violations through the core: an error is quarantined and no sighting, a warning passes, both are counted."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tamis.bundles.compile import compile_rule
from tamis.domain.audit.log import AuditLog
from tamis.domain.bundle import Bundle, Hold
from tamis.domain.consent.model import Status
from tamis.domain.noted import Noted
from tamis.domain.rules import RuleSet
from tamis.intake import Intake
from tamis.records.batch import Emissions, RawBatch
from tamis.stores.sightings.memory import MemorySightings
from tests.support.core import START, ConsentTable, StoredRecord, small_bundle, small_intake, track
from tests.support.holding import hold, leaves, release, sent

SIGN_UP = {
    "id": "sign_up", "version": 2, "owner": "growth", "sla": "4h", "stage": "intent", "destinations": ["hubspot"],
    "match": {"events": ["Newsletter Signup"]},
    "schema": {
        "required": ["plan"],
        "properties": {"plan": {"type": "string"}, "n": {"maximum": 10}, "email": {}},
        "additionalProperties": False,
    },
}  # fmt: skip
SDK = {"library": {"name": "analytics.js", "version": "2.1.0"}, "app": {"name": "shop", "version": "7.3"},
       "page": {"url": "https://shop.example.test/p"}}  # fmt: skip
PRODUCER = "analytics.js/2.1.0 app/7.3"


def bundle(*rules: dict[str, Any], keyed: bool = False, **policy: Any) -> Bundle:
    made = small_bundle()
    changed = msgspec.structs.replace(made.policy, keyed_by_subject=keyed, **policy)
    compiled = tuple(map(compile_rule, rules or (SIGN_UP,)))
    return msgspec.structs.replace(made, rules=RuleSet(compiled), policy=changed)


def core(made: Bundle) -> Intake:
    consent = ConsentTable()
    consent.set_device("device-1", analytics=Status.GRANTED, marketing=Status.GRANTED)
    return small_intake(consent, made)


def run(made: Bundle | Intake, *values: bytes, known: MemorySightings | None = None) -> Emissions:
    intake = made if isinstance(made, Intake) else core(made)
    records = [StoredRecord(number, START, value) for number, value in enumerate(values)]
    batch = RawBatch("events.raw", 3, records, 0, len(records), START)
    return intake.process(AuditLog("events.raw/3"), batch, known or MemorySightings(60))


def sign_up(message: str = "m-1", **properties: Any) -> bytes:
    return track(message, properties=properties, context=SDK)


def fates(out: Emissions) -> list[tuple[str, str]]:
    return [(leaf["out"], leaf["why"]) for leaf in map(msgspec.json.decode, out.leaves)]


def entries(out: Emissions) -> list[dict[str, Any]]:
    return [msgspec.json.decode(value) for _, value in out.outputs["events.quarantine"]]


@pytest.mark.parametrize(
    ("properties", "kind", "path"),
    [
        ({}, "required_missing", "properties.plan"),
        ({"plan": 7}, "wrong_type", "properties.plan"),
        ({"plan": "pro", "n": 11}, "bad_value", "properties.n"),
    ],
)
def test_an_error_is_quarantined_with_rule_producer_site_and_place(
    properties: dict[str, Any], kind: str, path: str
) -> None:
    out = run(bundle(), sign_up(**properties))
    assert fates(out) == [("invalid", kind)]
    (entry,) = entries(out)
    assert (entry["stage"], entry["reason"], entry["path"]) == ("validate", kind, path)
    assert (entry["producer"], entry["site"], entry["rule"]) == (PRODUCER, "shop", "sign_up")
    assert entry["violations"] == [{"kind": kind, "path": path, "severity": "error"}]
    assert out.outputs["events.clean"] == out.outputs["crm.hubspot"] == []
    assert out.violations == {Noted("sign_up", kind, "error", PRODUCER, "shop"): 1}
    assert out.fresh == {}


def test_the_leaf_of_an_error_names_the_rule_and_nobody() -> None:
    (raw,) = run(bundle(), sign_up()).leaves
    leaf = msgspec.json.decode(raw)
    assert (leaf["rule"], leaf["rev"], leaf["facts"], leaf["pid"], leaf["dest"]) == ("sign_up#2", {}, {}, None, {})


def test_a_warning_passes_and_is_counted() -> None:
    out = run(bundle(), sign_up(plan="pro", secret="zoe@example.test"))
    assert fates(out) == [("accepted", "granted")]
    assert out.violations == {Noted("sign_up", "additional_property", "warning", PRODUCER, "shop"): 1}
    assert out.faulty[0][0] == 0
    assert len(out.fresh) == 1
    assert b"secret" not in b"".join(value for rows in out.outputs.values() for _, value in rows)


def test_the_policy_and_then_the_rule_say_how_bad_it_is() -> None:
    soft = bundle(violations={"required_missing": "warning"})
    assert fates(run(soft, sign_up())) == [("accepted", "granted")]
    hard = bundle({**SIGN_UP, "violations": {"required_missing": "error"}}, violations={"required_missing": "info"})
    assert fates(run(hard, sign_up())) == [("invalid", "required_missing")]


def test_a_tracked_event_without_a_rule_is_a_violation_a_page_is_none() -> None:
    page = msgspec.json.encode({"type": "page", "messageId": "p", "anonymousId": "device-1"})
    out = run(bundle(), track(event="Who Knows"), page)
    assert {noted.kind: n for noted, n in out.violations.items()} == {"unplanned_event": 1}
    strict = run(bundle(violations={"unplanned_event": "error"}), track(event="Who Knows"), page)
    assert fates(strict) == [("invalid", "unplanned_event"), ("accepted", "granted")]


def test_late_and_future_events_are_violations() -> None:
    out = run(
        bundle(),
        track("late", properties={"plan": "a"}, timestamp="2026-11-01T00:00:00Z"),
        track("soon", properties={"plan": "a"}, timestamp="2027-11-01T00:00:00Z"),
    )
    assert fates(out) == [("denied", "late"), ("invalid", "future")]
    assert {(noted.kind, noted.severity) for noted in out.violations} == {("late", "warning"), ("future", "error")}
    quarantined = run(bundle(violations={"late": "error"}), track("late", properties={"plan": "a"},
                                                                  timestamp="2026-11-01T00:00:00Z"))  # fmt: skip
    assert fates(quarantined) == [("invalid", "late")]


CAPPED = {**SIGN_UP, "cap": {"per": "day", "most": 1}}
GOOD = {"plan": "pro"}


def test_an_event_over_the_cap_is_a_violation_of_the_rule_with_the_cap() -> None:
    out = run(bundle(CAPPED, keyed=True), sign_up("a", **GOOD), sign_up("b", **GOOD))
    assert Noted("sign_up", "over_cap", "info", PRODUCER, "shop") in out.violations
    strict = bundle({**CAPPED, "violations": {"over_cap": "error"}}, keyed=True)
    assert fates(run(strict, sign_up("a", **GOOD), sign_up("b", **GOOD)))[1] == ("invalid", "over_cap")


def test_a_refused_event_takes_no_place_under_a_cap() -> None:
    out = run(bundle(CAPPED, keyed=True), sign_up("a"), sign_up("b", **GOOD), sign_up("c", **GOOD))
    rules = [msgspec.json.decode(leaf)["rule"] for leaf in out.leaves]
    assert rules == ["sign_up#2", "sign_up#2", "-"]


def test_what_was_refused_may_come_again_and_is_no_repeat() -> None:
    bad, good = sign_up("m-1"), sign_up("m-1", **GOOD)
    out = run(bundle(), bad, good, good, bad)
    assert [fate[0] for fate in fates(out)] == ["invalid", "accepted", "duplicate", "conflict"]
    assert out.tally.by_outcome() == {"invalid": 1, "accepted": 1, "duplicate": 1, "conflict": 1}
    assert sum(map(len, out.fresh.values())) == 1


def test_each_of_several_refused_events_with_one_id_has_its_outcome() -> None:
    out = run(bundle(), *[sign_up("m-1", n=n) for n in range(5)])
    assert len(out.leaves) == 5
    assert all(out.leaves)
    assert sum(out.tally.by_outcome().values()) == 5
    assert len(entries(out)) == 5


def test_without_dedupe_every_error_is_quarantined() -> None:
    intake = core(bundle())
    records = [StoredRecord(number, START, sign_up("m-1")) for number in range(3)]
    out = intake.process(AuditLog("events.raw/3"), RawBatch("events.raw", 3, records, 0, 3, START))
    assert len(entries(out)) == 3


def test_a_batch_done_again_gives_the_same() -> None:
    values = [sign_up("a"), sign_up("b", **GOOD), sign_up("a", **GOOD), track(event="X")]
    once, again = run(bundle(), *values), run(bundle(), *values)
    assert (once.leaves, once.outputs, once.head, once.violations) == (
        again.leaves, again.outputs, again.head, again.violations,
    )  # fmt: skip


def test_a_candidate_that_refuses_more_differs() -> None:
    intake = core(bundle(violations={"required_missing": "info"}))
    intake.shadow = core(bundle())
    out = run(intake, sign_up("a"), sign_up("b", **GOOD))
    assert out.differences is not None
    assert (out.differences.events, out.differences.differing) == (2, 1)
    assert fates(out) == [("accepted", "granted"), ("accepted", "granted")]
    assert out.violations == {Noted("sign_up", "required_missing", "info", PRODUCER, "shop"): 1}


def test_a_held_event_is_not_judged_again_when_it_is_released() -> None:
    waiting = msgspec.structs.replace(bundle(violations={"required_missing": "warning"}), hash="0" * 16)
    waiting = msgspec.structs.replace(waiting, policy=msgspec.structs.replace(waiting.policy, hold=Hold()))
    held = hold(ConsentTable(), sign_up(), bundle=waiting)
    ((key, value),) = sent(held, "events.held")
    consent = ConsentTable()
    consent.set_device("device-1", analytics=Status.GRANTED, marketing=Status.GRANTED)
    strict = msgspec.structs.replace(bundle(), policy=msgspec.structs.replace(bundle().policy, hold=Hold()))
    released = release(consent, (key, value), bundle=strict)
    assert leaves(released)[0]["out"] == "released"
    assert held.violations
    assert not released.emissions.violations
