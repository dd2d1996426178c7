"""The core, batch by batch: every event gets one outcome, one leaf, one count, and only what was agreed to."""

import base64
import json
from typing import Any

import msgspec
import pytest

from tamis.domain.audit.leaf import MAX_LEAF_BYTES, decode_head
from tamis.domain.audit.log import AuditLog, AuditRefusedError, LogTail
from tamis.domain.audit.merkle import Frontier, leaf_hashes
from tamis.domain.consent.model import PurposeVersion, Status
from tamis.domain.quarantine import QuarantineEntry, open_entry
from tamis.records.batch import Emissions, RawBatch
from tests.support.core import START, ConsentTable, FixedKeys, StoredRecord, small_intake, track

GRANTED, DENIED = Status.GRANTED, Status.DENIED


def run(consent: ConsentTable, *values: bytes | None, log: AuditLog | None = None, first: int = 0) -> Emissions:
    records = [StoredRecord(first + i, START + i, value) for i, value in enumerate(values)]
    batch = RawBatch("events.raw", 3, records, first, first + len(records), START)
    return small_intake(consent).process(log or AuditLog("events.raw/3"), batch)


def leaves(emissions: Emissions) -> list[dict[str, Any]]:
    return [json.loads(leaf) for leaf in emissions.leaves]


def sent(emissions: Emissions, topic: str) -> list[dict[str, Any]]:
    return [json.loads(value) for _, value in emissions.outputs[topic]]


def granting() -> ConsentTable:
    consent = ConsentTable()
    consent.set_device("device-1", analytics=GRANTED, marketing=GRANTED)
    return consent


def test_a_granted_event_reaches_both_destinations_with_their_own_fields_and_ids() -> None:
    out = run(granting(), track())
    (clean,), (crm,) = sent(out, "events.clean"), sent(out, "crm.hubspot")
    assert clean["fields"] == {"plan": "pro", "n": 7}
    assert crm["fields"] == {"plan": "pro"}
    assert (clean["rule"], clean["stage"], clean["name"]) == ("newsletter_signup", "intent", "Newsletter Signup")
    assert clean["subject"].startswith("v1.clean.1.")
    assert crm["subject"].startswith("v1.hubspot.1.")
    for name in ("event_id", "proof_id", "subject"):
        assert clean[name] != crm[name]


def test_nothing_raw_is_in_any_output_leaf_or_key() -> None:
    out = run(granting(), track(userId="zoe@example.test", messageId="m-1"), b"zoe@example.test", track())
    everything = b"".join(v + (k or b"") for rows in out.outputs.values() for k, v in rows) + b"".join(out.leaves)
    for raw in (b"zoe", b"device-1", b"m-1", base64.b64encode(b"zoe@example.test")[:16]):
        assert raw not in everything


@pytest.mark.parametrize(
    ("consent", "reason"),
    [
        ({}, "no_record"),
        ({"analytics": DENIED}, "denied"),
        ({"analytics": Status.WITHDRAWN}, "withdrawn"),
        ({"marketing": DENIED}, "denied"),
    ],
)
def test_without_a_grant_nothing_leaves(consent: dict[str, Status], reason: str) -> None:
    table = ConsentTable()
    if consent:
        table.set_device("device-1", **consent)
    out = run(table, track())
    assert not sent(out, "events.clean")
    assert not sent(out, "crm.hubspot")
    (leaf,) = leaves(out)
    assert (leaf["out"], leaf["why"]) == ("denied", reason)


def test_the_stricter_of_person_and_device_wins() -> None:
    consent = granting()
    consent.set_person("u-1", analytics=DENIED, marketing=GRANTED)
    out = run(consent, track(userId="u-1"))
    assert not sent(out, "events.clean")
    assert len(sent(out, "crm.hubspot")) == 1
    assert leaves(out)[0]["dest"] == {"clean": "denied", "hubspot": "granted"}


def test_a_device_grant_does_not_speak_for_a_person_without_a_record() -> None:
    out = run(granting(), track(userId="u-9"))
    assert leaves(out)[0]["why"] == "no_record"


@pytest.mark.parametrize("consent", [{"categoryPreferences": {"Ads": False}}, {"categoryPreferences": {"Ads": None}}])
def test_inline_consent_narrows(consent: dict[str, Any]) -> None:
    out = run(granting(), track(context={"consent": consent}))
    assert not sent(out, "crm.hubspot")
    assert leaves(out)[0]["dest"] == {"clean": "granted", "hubspot": "inline_denied"}


def test_malformed_inline_consent_denies_everything() -> None:
    out = run(granting(), track(context={"consent": {"categoryPreferences": "yes"}}))
    assert leaves(out)[0]["why"] == "inline_malformed"
    assert not sent(out, "events.clean")


@pytest.mark.parametrize("anonymous_id", ["anonymous", "null", "00000000-0000-0000-0000-000000000000"])
def test_placeholder_ids_name_nobody(anonymous_id: str) -> None:
    consent = ConsentTable()
    consent.set_device(anonymous_id, analytics=GRANTED, marketing=GRANTED)
    (leaf,) = leaves(run(consent, track(anonymousId=anonymous_id)))
    assert (leaf["out"], leaf["why"], leaf["pid"]) == ("denied", "no_subject", None)


def test_an_unplanned_event_tells_no_name() -> None:
    out = run(granting(), track(event="zoe@example.test clicked"))
    (clean,) = sent(out, "events.clean")
    assert (clean["name"], clean.get("rule", "")) == ("track", "")
    assert not sent(out, "crm.hubspot")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "empty"),
        (b"", "empty"),
        (b"{", "not_json"),
        (b"\xff\xfe", "not_utf8"),
        (b"[" * 100_000, "too_deep"),
        (b'"' + b"x" * 300_000 + b'"', "too_large"),
        (b'{"hello":1}', "unknown_envelope"),
        (track(timestamp="2027-11-20T10:00:00Z"), "future"),
        (track(timestamp="yesterday"), "bad_time"),
    ],
)
def test_what_cannot_be_used_is_quarantined_sealed_and_audited(value: bytes | None, reason: str) -> None:
    out = run(granting(), value)
    (entry,) = (msgspec_entry(v) for _, v in out.outputs["events.quarantine"])
    (leaf,) = leaves(out)
    assert (leaf["out"], leaf["why"], entry.reason) == ("invalid", reason, reason)
    opened = open_entry(entry, FixedKeys().derive(entry.key_id))
    assert opened is not None
    assert (value or b"").startswith(opened)
    assert entry.size == len(value or b"")


def msgspec_entry(value: bytes) -> QuarantineEntry:
    return msgspec.json.decode(value, type=QuarantineEntry)


def test_a_batch_body_gives_one_outcome_per_event() -> None:
    good, bad = json.loads(track()), {**json.loads(track()), "timestamp": "never"}
    out = run(granting(), json.dumps({"batch": [good, bad, good], "sentAt": "2026-11-20T10:00:00Z"}).encode())
    assert [(leaf["src"]["o"], leaf["src"]["i"], leaf["out"]) for leaf in leaves(out)] == [
        (0, 0, "accepted"), (0, 1, "invalid"), (0, 2, "accepted"),
    ]  # fmt: skip
    proofs = [record["proof_id"] for record in sent(out, "events.clean")]
    positions = [small_intake(granting()).keys.proofs[0].position(proof) for proof in proofs]
    assert positions == [(3, 0, 0), (3, 0, 2)]


def test_leaves_are_ascii_json_with_sorted_keys_and_small() -> None:
    out = run(granting(), track(), track(userId="u-1", event="x" * 5000), b"nonsense")
    for raw, leaf in zip(out.leaves, leaves(out), strict=True):
        assert raw.isascii()
        assert len(raw) <= MAX_LEAF_BYTES
        assert json.dumps(leaf, sort_keys=True, separators=(",", ":")).encode() == raw


def test_the_head_states_counts_range_and_root() -> None:
    log = AuditLog("events.raw/3")
    first = run(granting(), track(), b"nonsense", log=log)
    second = run(granting(), track(), log=log, first=2)
    tree = Frontier()
    tree.extend(leaf_hashes(first.leaves + second.leaves))
    assert second.head is not None
    head = decode_head(second.head)
    assert (head.start, head.n, head.first, head.next, head.lost) == (2, 3, 2, 3, None)
    assert head.counts == {"accepted": 1}
    assert base64.b64decode(head.root) == tree.root()
    assert [leaf["seq"] for leaf in leaves(second)] == [2]


def test_a_log_resumes_from_its_head_and_refuses_when_it_disagrees_with_the_offset() -> None:
    first = run(granting(), track(), track())
    assert first.head is not None
    head = decode_head(first.head)
    resumed = AuditLog.resume("events.raw/3", LogTail(head), 2)
    assert (resumed.seq, resumed.next, resumed.clock) == (2, 2, head.received_at)
    for broken, committed in ((head, 1), (head, 3), (head, None), (None, 2)):
        with pytest.raises(AuditRefusedError):
            AuditLog.resume("events.raw/3", LogTail(broken), committed)
    with pytest.raises(AuditRefusedError):
        AuditLog.resume("events.raw/4", LogTail(head), 2)


def test_at_least_once_a_log_may_be_ahead_of_the_offset_but_never_behind() -> None:
    first = run(granting(), track(), track())
    assert first.head is not None
    head = decode_head(first.head)
    tail = LogTail(head, tuple(first.leaves))
    resumed = AuditLog.resume("events.raw/3", tail, 1, at_least_once=True)
    assert resumed.seq == 4
    with pytest.raises(AuditRefusedError):
        AuditLog.resume("events.raw/3", tail, 3, at_least_once=True)


def test_the_clock_never_goes_back() -> None:
    records = [StoredRecord(0, START + 5_000, track()), StoredRecord(1, START, track())]
    out = small_intake(granting()).process(AuditLog("events.raw/3"), RawBatch("events.raw", 3, records, 0, 2, 0))
    assert [leaf["ts"] for leaf in leaves(out)] == [START + 5_000, START + 5_000]
    assert out.watermark == START + 5_000


def test_a_withdrawal_is_seen_by_the_next_batch() -> None:
    consent = granting()
    intake, log = small_intake(consent), AuditLog("events.raw/3")

    def one(offset: int) -> Emissions:
        batch = RawBatch("events.raw", 3, [StoredRecord(offset, START, track())], offset, offset + 1, 0)
        return intake.process(log, batch)

    assert len(one(0).outputs["events.clean"]) == 1
    consent.set_device("device-1", analytics=Status.WITHDRAWN, marketing=Status.WITHDRAWN)
    assert not one(1).outputs["events.clean"]


def test_a_decision_of_a_partition_that_is_ahead_is_not_used_in_one_that_is_behind() -> None:
    consent = granting()
    ((key, record),) = consent.records.items()
    said = ((START - 1_000, GRANTED), (START - 5_000, Status.WITHDRAWN), (START - 10_000, GRANTED))
    versions = tuple(PurposeVersion(status=s, effective_at=at, recorded_at=at, source="test") for at, s in said)
    purposes = dict.fromkeys(record.purposes, versions)
    consent.records[key] = msgspec.structs.replace(record, purposes=purposes)
    intake, event = small_intake(consent), track(timestamp="2026-11-20T09:59:53.000Z")

    def received(partition: int, at: int) -> dict[str, Any]:
        batch = RawBatch("events.raw", partition, [StoredRecord(0, at, event)], 0, 1, 0)
        return leaves(intake.process(AuditLog(f"events.raw/{partition}"), batch))[0]

    assert received(0, START)["out"] == "accepted"
    assert received(3, START - 3_000)["why"] == "withdrawn"


def test_a_body_of_many_refused_events_is_kept_once() -> None:
    item = {"type": "track", "event": "x", "anonymousId": "device-1", "properties": {"padding": "x" * 100_000}}
    body = msgspec.json.encode({"batch": [item] + [{}] * 400})
    out = run(granting(), body, body)
    entries = [msgspec.json.decode(value, type=QuarantineEntry) for _, value in out.outputs["events.quarantine"]]
    assert len(entries) == 800
    assert [(entry.offset, entry.index) for entry in entries if entry.sealed] == [(0, 1), (1, 1)]
    assert sum(len(value) for _, value in out.outputs["events.quarantine"]) < 5 * len(body)


def test_an_idle_partition_writes_a_head_only_now_and_then() -> None:
    intake, log = small_intake(granting()), AuditLog("events.raw/3", idle_head_ms=60_000)

    def idle(clock: int) -> Emissions:
        return intake.process(log, RawBatch("events.raw", 3, [], 0, 0, clock))

    assert idle(START).head is not None
    assert idle(START + 5_000).head is None
    later = idle(START + 60_000)
    assert later.head is not None
    assert decode_head(later.head).received_at == START + 60_000


def test_counts_equal_leaves() -> None:
    out = run(granting(), track(), b"x", track(anonymousId="null"), None)
    assert sum(out.tally.by_outcome().values()) == len(out.leaves) == 4
    assert out.tally.by_outcome() == {"accepted": 1, "denied": 1, "invalid": 2}
