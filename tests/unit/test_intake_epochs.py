"""Records over a rotation of keys: pseudonyms of both epochs while the overlap runs, and what stays."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import pytest

from tamis.domain.audit.log import AuditLog
from tamis.domain.consent.model import Status
from tamis.domain.epochs import Epochs
from tamis.domain.keyring import Keyring
from tamis.domain.subject import salt_of
from tamis.envelopes.decoder import Decoder
from tamis.intake import Intake
from tamis.records.batch import RawBatch
from tests.support.core import START, ConsentTable, FixedKeys, StoredRecord, small_bundle, track

BEFORE, OVERLAPPING = Epochs("1"), Epochs("2", "1", START + 10_000, ("1",))
REVOKED = Epochs("2", "", 0, ("1",))


@pytest.fixture
def consent() -> ConsentTable:
    table = ConsentTable()
    table.set_device("device-1", analytics=Status.GRANTED, marketing=Status.GRANTED)
    return table


def ring(epochs: Epochs) -> Keyring:
    return Keyring(FixedKeys().derive, epochs, [each.id for each in small_bundle().destinations])


class Run:
    """Events one after the other through one core."""

    def __init__(self, consent: ConsentTable, epochs: Epochs) -> None:
        self.intake = Intake(small_bundle(), ring(epochs), consent, Decoder(FixedKeys().derive("event-id")))
        self.log, self.offset = AuditLog("events.raw/0"), 0

    def sent(self, at: int, topic: str = "events.clean") -> tuple[dict[str, Any], dict[str, Any]]:
        """Record and leaf of one event received at ``at``."""
        record = StoredRecord(self.offset, at, track(f"m-{self.offset}", timestamp="2026-11-20T10:00:00.000Z"))
        found = self.intake.process(self.log, RawBatch("events.raw", 0, [record], self.offset, self.offset + 1, at))
        self.offset += 1
        ((key, value),) = found.outputs[topic]
        event = msgspec.json.decode(value)
        assert key == event["subject"].encode()
        return event, msgspec.json.decode(found.leaves[0])


def test_both_pseudonyms_leave_until_the_overlap_ends(consent: ConsentTable) -> None:
    old, _ = Run(consent, BEFORE).sent(START)
    assert "pid_prev" not in old
    run = Run(consent, OVERLAPPING)
    for at in (START, START + 9_999):
        event, leaf = run.sent(at)
        assert event["pid_prev"] == old["subject"]
        assert event["subject"].startswith("v1.clean.2.")
        assert leaf["pid"].startswith("v1.audit.2.")
    for at in (START + 10_000, START + 20_000):
        event, leaf = run.sent(at)
        assert "pid_prev" not in event
        assert event["subject"].startswith("v1.clean.2.")


def test_partitions_with_clocks_of_their_own_do_not_mix(consent: ConsentTable) -> None:
    run = Run(consent, OVERLAPPING)
    late, _ = run.sent(START + 10_000)
    run.log = AuditLog("events.raw/1")
    early, _ = run.sent(START)
    assert ("pid_prev" in late, "pid_prev" in early) == (False, True)


def test_after_an_incident_nothing_ties_the_epochs_together(consent: ConsentTable) -> None:
    event, _ = Run(consent, REVOKED).sent(START)
    assert "pid_prev" not in event
    assert ".1." not in event["subject"]


def test_each_destination_has_its_own_earlier_pseudonym(consent: ConsentTable) -> None:
    (clean, _), (crm, _) = (Run(consent, OVERLAPPING).sent(START, topic) for topic in ("events.clean", "crm.hubspot"))
    assert clean["pid_prev"].rpartition(".")[2] != crm["pid_prev"].rpartition(".")[2]
    assert crm["pid_prev"].startswith("v1.hubspot.1.")


def test_a_retraction_can_name_every_live_epoch(consent: ConsentTable) -> None:
    salt, key = salt_of(next(iter(consent.records.values()))), consent.subjects.device("device-1")
    names = ring(REVOKED).live_pseudonyms("hubspot", salt, key)
    sent = [Run(consent, epochs).sent(START, "crm.hubspot")[0]["subject"] for epochs in (REVOKED, BEFORE)]
    assert list(names) == sent
    with pytest.raises(ValueError, match="salt"):
        ring(REVOKED).live_pseudonyms("hubspot", b"", key)


def test_labels_are_those_of_the_port() -> None:
    asked: list[str] = []

    def derive(label: str) -> bytes:
        asked.append(label)
        return hashlib.sha256(label.encode()).digest()

    Keyring(derive, OVERLAPPING, ["clean"])
    assert {label for label in asked if label.startswith("pseudonym/")} == {
        "pseudonym/clean/1", "pseudonym/clean/2", "pseudonym/audit/1", "pseudonym/audit/2",
    }  # fmt: skip
