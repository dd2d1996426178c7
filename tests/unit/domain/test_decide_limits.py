"""Whatever is known of a subject, its leaf has at most 4 KiB: what cannot be stated lets nothing out."""

import json
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from tamis.domain.audit.leaf import MAX_LEAF_BYTES
from tamis.domain.audit.log import AuditLog
from tamis.domain.bundle import Bundle
from tamis.domain.consent.model import Status
from tamis.domain.consent.replay import reevaluate
from tamis.records.batch import Emissions, RawBatch
from tamis.services.explain import Explainer
from tests.support.core import START, ConsentTable, StoredRecord, small_bundle, small_intake, track


def wide(count: int) -> Bundle:
    """A bundle that no check has seen: its first destination asks for many purposes."""
    small = small_bundle()
    purposes = tuple(f"purpose_with_a_long_name_{n:03d}" for n in range(count))
    first = replace(small.destinations[0], purposes=purposes)
    policy = replace(small.policy, purposes=(*small.policy.purposes, *purposes))
    return replace(small, destinations=(first, *small.destinations[1:]), policy=policy)


def decided(bundle: Bundle) -> tuple[Emissions, dict[str, Any]]:
    consent = ConsentTable()
    granted = dict.fromkeys((*bundle.policy.purposes, "analytics"), Status.GRANTED)
    consent.set_device("device-1", **granted)
    consent.set_person("user-1", **granted)
    body = track("m-1", userId="user-1")
    batch = RawBatch("events.raw", 3, [StoredRecord(0, START, body)], 0, 1, START)
    out = small_intake(consent, bundle).process(AuditLog("localhost/tamis/audit.log/p3/e1"), batch)
    assert len(out.leaves[0]) <= MAX_LEAF_BYTES
    return out, json.loads(out.leaves[0])


@pytest.mark.parametrize("count", [60, 200, 1_000])
def test_facts_that_do_not_fit_are_cut_and_nothing_is_let_out(count: int) -> None:
    bundle = wide(count)
    out, leaf = decided(bundle)
    assert (leaf["out"], leaf["why"], leaf["inline"]) == ("denied", "unrecordable", "-")
    assert leaf["facts"] == {"cut": leaf["facts"]["cut"]}
    assert set(leaf["dest"].values()) == {"unrecordable"}
    assert out.outputs["events.clean"] == []
    assert out.outputs["crm.hubspot"] == []
    assert json.dumps(leaf, sort_keys=True, separators=(",", ":")).encode() == out.leaves[0]


def test_a_leaf_with_cut_facts_re_evaluates_to_the_same_verdict() -> None:
    bundle = wide(200)
    out, leaf = decided(bundle)
    found = reevaluate(leaf, bundle)
    assert found is not None
    assert found.agrees(leaf)
    explained = msgspec.to_builtins(Explainer().explain(out.leaves[0], None))
    assert any("more is known than one entry can state" in fact for fact in explained["facts"])


def test_facts_that_fit_are_stated_whole() -> None:
    _, leaf = decided(wide(8))
    assert leaf["out"] == "accepted"
    assert "cut" not in leaf["facts"]
