"""Bots through the core: marked on what goes out, or denied; counted; a leaf says so and re-evaluates."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tamis.domain.audit.log import AuditLog
from tamis.domain.consent.model import Status
from tamis.domain.consent.replay import reevaluate
from tamis.records.batch import Emissions, RawBatch
from tests.support.core import START, ConsentTable, StoredRecord, small_bundle, small_intake, track
from tests.support.holding import hold, holding_bundle, leaves, sent

ROBOT = {"userAgent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}


def run(policy: dict[str, Any], *values: bytes, granted: bool = True) -> tuple[Emissions, Any]:
    made = small_bundle()
    made = msgspec.structs.replace(made, policy=msgspec.structs.replace(made.policy, **policy))
    consent = ConsentTable()
    if granted:
        consent.set_device("device-1", analytics=Status.GRANTED, marketing=Status.GRANTED)
    records = [StoredRecord(number, START, value) for number, value in enumerate(values)]
    batch = RawBatch("events.raw", 3, records, 0, len(records), START)
    return small_intake(consent, made).process(AuditLog("events.raw/3"), batch), made


def test_a_marked_bot_goes_on_with_the_flag_beside_people() -> None:
    out, made = run({}, track("a", context=ROBOT), track("b"))
    robot, person = [msgspec.json.decode(value) for _, value in out.outputs["events.clean"]]
    assert robot["bot"] == "crawler"
    assert "bot" not in person
    assert out.bots == {("crawler", False): 1}
    leaf = msgspec.json.decode(out.leaves[0])
    assert leaf["facts"]["bot"] == "crawler"
    found = reevaluate(leaf, made)
    assert found is not None
    assert found.agrees(leaf)


def test_a_denied_bot_goes_nowhere() -> None:
    out, made = run({"bots": {"crawler": "deny"}}, track("a", context=ROBOT), track("b", context={"webdriver": True}))
    found_leaves = [msgspec.json.decode(leaf) for leaf in out.leaves]
    assert [(leaf["out"], leaf["why"]) for leaf in found_leaves] == [("denied", "bot"), ("accepted", "granted")]
    assert len(out.outputs["events.clean"]) == 1
    assert out.bots == {("crawler", True): 1, ("headless", False): 1}
    for leaf in found_leaves:
        found = reevaluate(leaf, made)
        assert found is not None
        assert found.agrees(leaf)


@pytest.mark.parametrize(("granted", "reason"), [(True, "bot"), (False, "bot")])
def test_a_denied_bot_is_never_undecided(granted: bool, reason: str) -> None:
    out, made = run({"bots": {"crawler": "deny"}}, track(context=ROBOT), granted=granted)
    leaf = msgspec.json.decode(out.leaves[0])
    assert (leaf["out"], leaf["why"]) == ("denied", reason)
    found = reevaluate(leaf, made)
    assert found is not None
    assert found.decision == "deny"


def test_policy_paths_declare_bots() -> None:
    out, _ = run({"declared_bots": ("properties.synthetic",)}, track(properties={"synthetic": True}))
    assert out.bots == {("declared", False): 1}


def test_software_does_not_wait_for_a_decision_and_makes_no_record_of_itself() -> None:
    robot = hold(ConsentTable(), track(context=ROBOT))
    assert leaves(robot)[0]["out"] == "denied"
    assert not robot.keyed
    assert hold(ConsentTable(), track()).keyed
    denied = hold(ConsentTable(), track(context=ROBOT), bundle=holding_bundle(bots={"crawler": "deny"}))
    assert (leaves(denied)[0]["out"], leaves(denied)[0]["why"]) == ("denied", "bot")
    assert not sent(denied, "events.held")
