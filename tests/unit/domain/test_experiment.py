"""Variants that may be told."""

from typing import Any

import msgspec
import pytest

from tamis.bundles.compile import compile_rule
from tamis.domain.audit.log import AuditLog
from tamis.domain.consent.model import Status
from tamis.domain.rules import RuleSet
from tamis.records.batch import RawBatch
from tests.support.core import START, ConsentTable, StoredRecord, small_bundle, small_intake, track

RULE = {
    "id": "signup", "version": 1, "owner": "growth", "sla": "4h", "stage": "intent", "destinations": ["hubspot"],
    "match": {"events": ["Newsletter Signup"]},
    "experiment": {"id": "copy", "path": "properties.variant", "variants": ["A", "B"]},
}  # fmt: skip


@pytest.mark.parametrize(
    ("variant", "told"), [("A", ("copy", "A")), ("jane@example.test", None), (None, None), (["A"], None), (1, None)]
)
def test_only_listed_variants_leave(variant: Any, told: tuple[str, str] | None) -> None:
    consent = ConsentTable()
    consent.set_device("device-1", marketing=Status.GRANTED)
    bundle = msgspec.structs.replace(small_bundle(), rules=RuleSet((compile_rule(RULE),)))
    value = track(properties={"plan": "pro", "variant": variant})
    batch = RawBatch("events.raw", 0, [StoredRecord(0, START, value)], 0, 1, START)
    [(_, sent)] = small_intake(consent, bundle).process(AuditLog("events.raw/0"), batch).outputs["crm.hubspot"]
    record = msgspec.json.decode(sent)
    assert (record.get("experiment"), record.get("variant")) == (told or (None, None))
