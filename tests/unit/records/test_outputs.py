"""Clean records: many at once are byte for byte what each is alone."""

import json
from typing import Any

import pytest

from tamis.domain.pseudonym import EventIds, ProofIds, position_block, texts_of
from tamis.records.outbox import Outbox
from tamis.records.outputs import CleanEvent, encode_all, encode_clean


def clean(**fields: Any) -> CleanEvent:
    return CleanEvent(
        event_id="e", proof_id="p", subject="v1.clean.1.s", name="Plan\nSeen", occurred_at=7, fields=fields, value=0.5
    )


@pytest.mark.parametrize("odd", ["line\nfeed", "\u2028\r\n", "é", 2**63 - 1, 1e300, True])
def test_encoding_many_equals_encoding_each(odd: Any) -> None:
    events = [clean(), clean(plan=odd), clean(n=1)]
    assert encode_all(events) == [encode_clean(event) for event in events]


def test_an_outbox_gives_one_record_for_each_event_in_order() -> None:
    box = Outbox(EventIds(b"e" * 32), ProofIds(b"p" * 32))
    assert box.records() == []
    for number in range(3):
        row = (f"v1.clean.1.{number}", "page", "", "", None, 1000, {"n": number}, ("", ""))
        box.add(bytes([number]) * 16, position_block(0, number, 0), row)
    records = box.records()
    assert [key for key, _ in records] == [b"v1.clean.1.0", b"v1.clean.1.1", b"v1.clean.1.2"]
    values = [json.loads(value) for _, value in records]
    assert [value["fields"]["n"] for value in values] == [0, 1, 2]
    assert [value["event_id"] for value in values] == texts_of(
        EventIds(b"e" * 32).encipher([bytes([number]) * 16 for number in range(3)])
    )
    assert [ProofIds(b"p" * 32).position(value["proof_id"])[1] for value in values] == [0, 1, 2]
