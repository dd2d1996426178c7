"""A salt that was destroyed: its commitments never open again, and the log that holds them still verifies."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from tamis.domain.audit.log import AuditLog
from tamis.domain.audit.origin import LogOrigin
from tamis.domain.audit.verify import LogVerifier
from tamis.domain.consent.model import Erasure, Status, SubjectRecord
from tamis.domain.consent.privacy import erase
from tamis.domain.pseudonym import Pseudonymiser, commitment, commitment_key
from tamis.domain.subject import AUDIT_DOMAIN, salt_of
from tamis.records.batch import RawBatch
from tests.support.core import START, ConsentTable, FixedKeys, StoredRecord, small_intake, track

DEVICE = "device-1"


class Scene:
    """One partition's log, the core that writes it, and everything that was written."""

    def __init__(self) -> None:
        self.consent = ConsentTable()
        self.consent.set_device(DEVICE, analytics=Status.GRANTED, marketing=Status.GRANTED)
        self.key = self.consent.subjects.device(DEVICE)
        self.intake = small_intake(self.consent)
        self.log = AuditLog(str(LogOrigin("localhost/tamis", "audit.log", 0)))
        self.verifier = LogVerifier(0, topic="events.raw")
        self.offset = 0
        self.written: list[bytes] = []

    @property
    def record(self) -> SubjectRecord:
        return self.consent.records[self.key]

    def decide(self, *bodies: bytes) -> bytes:
        """The leaf of the first event."""
        records = [StoredRecord(self.offset + n, START + n, body) for n, body in enumerate(bodies)]
        batch = RawBatch("events.raw", 0, records, self.offset, self.offset + len(records), START)
        self.offset += len(records)
        out = self.intake.process(self.log, batch)
        self.verifier.feed_leaves(out.leaves)
        assert out.head is not None
        self.verifier.feed(True, out.head)
        self.written += [*out.leaves, out.head]
        return out.leaves[0]

    def erase(self) -> None:
        gone = Erasure(subject=self.key, identity="device", at=START, request="r")
        self.consent.records[self.key] = erase(self.record, gone)
        self.consent.changes += 1


def opens(leaf: dict[str, Any], body: bytes, record: SubjectRecord, keys: FixedKeys) -> bool:
    """Whether what is left (the body, the record, every key) makes the leaf's commitment again."""
    salt, labels = salt_of(record), ("audit/day/2026-11-20", "subject", "pseudonym/audit/1", "audit/eid")
    candidates = [keys.derive(label) for label in labels] + ([commitment_key(salt)] if salt else [])
    return any(commitment(key, body) == leaf["cm"] for key in candidates)


def test_a_destroyed_salt_closes_its_commitments_and_the_log_still_verifies() -> None:
    scene, keys, body = Scene(), FixedKeys(), track("m-1")
    leaf = json.loads(scene.decide(body))
    assert (leaf["out"], opens(leaf, body, scene.record, keys)) == ("accepted", True)
    old = scene.record
    named = Pseudonymiser(AUDIT_DOMAIN, "1", keys.derive("pseudonym/audit/1")).pseudonym(salt_of(old), scene.key)
    assert leaf["pid"] == named

    scene.erase()
    assert not opens(leaf, body, scene.record, keys), "neither the body nor any key opens it without the salt"
    later = json.loads(scene.decide(track("m-2")))
    assert (later["out"], later["why"], later["pid"]) == ("denied", "erased", None)
    report = scene.verifier.report()
    assert (report.ok, report.verified) == (True, 2), report
    assert old.salt.encode() not in b"".join(scene.written) + msgspec.json.encode(scene.record)
