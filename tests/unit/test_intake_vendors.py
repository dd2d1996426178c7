"""Bodies of all vendors through the core: one outcome an event, and nothing of the request in any output."""

import json
from pathlib import Path
from typing import Any

import pytest

from tamis.domain.audit.log import AuditLog
from tamis.domain.consent.model import Status
from tamis.domain.event import Event
from tamis.envelopes.decoder import Decoder
from tamis.records.batch import Emissions, RawBatch
from tests.support.core import START, ConsentTable, FixedKeys, StoredRecord, small_intake
from tests.support.payloads import FILES, load, record

GRANTED = Status.GRANTED
EVERY = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def run(consent: ConsentTable, value: bytes, headers: Any = ()) -> Emissions:
    batch = RawBatch("events.raw", 3, [StoredRecord(7, START + 10**9, value, None, headers)], 7, 8, START)
    return small_intake(consent).process(AuditLog("events.raw/3"), batch)


def trusting(value: bytes, headers: Any) -> ConsentTable:
    """Everybody in the body agreed to everything."""
    consent = ConsentTable()
    found = Decoder(FixedKeys().derive("event-id")).decode(value, headers, START)
    for event in found if isinstance(found, list) else ():
        if isinstance(event, Event) and event.anonymous_id:
            consent.set_device(event.anonymous_id, analytics=GRANTED, marketing=GRANTED)
        if isinstance(event, Event) and event.user_id:
            consent.set_person(event.user_id, analytics=GRANTED, marketing=GRANTED)
    return consent


@EVERY
def test_one_outcome_an_event_and_nothing_of_the_request_in_any_output(path: Path) -> None:
    payload = load(path)
    value, headers = record(payload)
    out = run(trusting(value, headers), value, headers)
    found = [json.loads(leaf) for leaf in out.leaves]
    assert [leaf["src"]["i"] for leaf in found] == list(range(len(payload["expect"])))
    assert sum(out.tally.by_outcome().values()) == len(payload["expect"])
    everything = b"".join(body + (key or b"") for rows in out.outputs.values() for key, body in rows)
    everything += b"".join(out.leaves)
    ids = [
        expect.get(name) for expect in payload["expect"] for name in ("anonymous_id", "user_id", "event_id", "subject")
    ]
    for text in (*payload.get("pii", ()), *ids):
        assert not text or len(text) < 4 or text.encode() not in everything


def test_a_request_whose_event_came_in_its_address() -> None:
    address = b"/g/collect?v=2&tid=G-1&cid=d-1&en=sign_up&ep.plan=pro"
    consent = ConsentTable()
    consent.set_device("d-1", analytics=GRANTED)
    out = run(consent, b"", [("endpoint", address)])
    (clean,) = [json.loads(value) for _, value in out.outputs["events.clean"]]
    assert clean["fields"] == {"plan": "pro"}


def test_a_crash_replay_derives_the_same_ids() -> None:
    body = json.dumps({"client_id": "d-1", "events": [{"name": "a"}, {"name": "a"}]}).encode()
    consent = ConsentTable()
    consent.set_device("d-1", analytics=GRANTED)
    first, again = run(consent, body), run(consent, body)
    assert first.leaves == again.leaves
    assert len({json.loads(leaf)["eid"] for leaf in first.leaves}) == 2
