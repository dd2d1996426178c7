"""Two destinations cannot join their records: what singles out a person or an event in one is in no other.

The recipients are given everything they get: keys and values, ids, proofs, pseudonyms of both epochs, every field. What
is looked for is any value that belongs to one person, or to one event, in the records of two destinations alike.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tamis.bundles.load import check_folder
from tamis.demo.bench.events import timed
from tamis.domain.audit.log import AuditLog
from tamis.domain.bundle import Bundle
from tamis.domain.consent.model import PurposeVersion, Status, SubjectRecord
from tamis.domain.epochs import Epochs
from tamis.domain.keyed import base64url
from tamis.domain.keyring import Keyring
from tamis.domain.pseudonym import ProofIds
from tamis.envelopes.decoder import Decoder
from tamis.intake import Intake
from tamis.records.batch import RawBatch
from tests.support.bundles import CONFIG, reference_bundle
from tests.support.core import START, FixedKeys, StoredRecord

PAYLOADS = Path(__file__).parents[1] / "vectors" / "payloads"
EVENTS = 4_000
WORDS = ("name", "rule", "stage", "experiment", "variant")
Position = tuple[int, int, int]

WIDE = """
destinations:
  - id: clean
    topic: events.clean
    purposes: [analytics]
    accepts: all
    time_bucket: 1s
    fields: &fields
      account: {from: context.traits.plan, action: pseudonymise}
      sku: {from: properties.sku, action: pseudonymise}
      n: {from: properties.n, action: pseudonymise}
      order: {from: properties.order_id, action: pseudonymise}
  - id: crm
    topic: crm.crm
    purposes: [analytics]
    accepts: all
    time_bucket: 1h
    fields: *fields
"""
LEAKY = """
destinations:
  - id: clean
    topic: events.clean
    purposes: [analytics]
    accepts: all
    time_bucket: 1h
    fields:
      number: {from: properties.n, action: keep}
  - id: crm
    topic: crm.crm
    purposes: [analytics]
    accepts: all
    time_bucket: 1h
    fields:
      count: {from: properties.n, action: keep}
"""


class EverybodyAgrees:
    """Consent to everything, a salt of their own for everybody."""

    def __init__(self, bundle: Bundle) -> None:
        granted = PurposeVersion(status=Status.GRANTED, effective_at=START - 10**8, recorded_at=START, source="test")
        yes: tuple[PurposeVersion, ...] = (granted,)
        policy = bundle.policy
        self._purposes = {f"{law.id}/{purpose}": yes for law in policy.judged() for purpose in policy.purposes}

    def get(self, subject_key: str) -> SubjectRecord:
        salt = base64url(hashlib.sha256(subject_key.encode()).digest())
        return SubjectRecord(salt=salt, revision=1, identity="person", purposes=self._purposes)

    def version(self) -> int:
        return 0


@cache
def bodies() -> tuple[tuple[bytes, tuple[tuple[str, bytes], ...]], ...]:
    """What real SDKs send, every body a few times over, and generated traffic."""
    found: list[tuple[bytes, tuple[tuple[str, bytes], ...]]] = []
    for path in sorted(PAYLOADS.glob("*/*.json")):
        payload = json.loads(path.read_text())
        if not payload.get("gzipped") and payload.get("body_encoding", "text") in ("text", "utf-8", "utf8"):
            found.append((payload["body"].encode(), ()))
    for number in range(EVENTS):
        value = timed(number, 1, START - 3_600_000 + number * 971).value or b""
        found.append((value.replace(b'":false', b'":true'), ()))
    return tuple(found)


def run(bundle: Bundle) -> tuple[dict[str, dict[Position, dict[str, Any]]], list[dict[str, Any]]]:
    """Destination -> source position -> record (with its key), and the leaves."""
    keys = FixedKeys()
    epochs = Epochs("2", "1", START + 10**9, ("1",))
    ring = Keyring(keys.derive, epochs, [each.id for each in bundle.destinations])
    intake = Intake(bundle, ring, EverybodyAgrees(bundle), Decoder(keys.derive("event-id")))
    records = [StoredRecord(n, START + n, value, headers=headers) for n, (value, headers) in enumerate(bodies())]
    emissions = intake.process(AuditLog("events.raw/0"), RawBatch("events.raw", 0, records, 0, len(records), START))
    found: dict[str, dict[Position, dict[str, Any]]] = {}
    for destination in bundle.destinations:
        proofs = ProofIds(keys.derive(f"proof/{destination.id}"))
        sent = [(key, msgspec.json.decode(value)) for key, value in emissions.outputs[destination.topic]]
        found[destination.id] = {
            proofs.position(value["proof_id"]): value | {"key": (key or b"").decode()} for key, value in sent
        }
    return found, [msgspec.json.decode(leaf) for leaf in emissions.leaves]


def scalars(value: Any, path: str = "") -> list[tuple[str, Any]]:
    """Every text and number with its place, and the parts of texts that have some."""
    if isinstance(value, dict):
        return [each for key, inner in value.items() for each in scalars(inner, f"{path}.{key}".strip("."))]
    if isinstance(value, list):
        return [each for inner in value for each in scalars(inner, path)]
    if isinstance(value, bool) or value is None:
        return []
    parts = [part for part in value.split(".") if len(part) > 7] if isinstance(value, str) else []
    return [(path, value), *((path, part) for part in parts)]


def joins(found: dict[str, dict[Position, dict[str, Any]]], meant: set[str]) -> set[tuple[str, str]]:
    """Places of values by which two destinations can join: each singles out the same event, or person, in both."""
    linked: set[tuple[str, str]] = set()
    persons = {at: record["subject"] for at, record in next(iter(found.values())).items()}
    by_value: dict[str, dict[Any, set[Position]]] = {}
    places: dict[str, dict[Any, set[str]]] = {}
    for destination, records in found.items():
        values, where = defaultdict(set), defaultdict(set)
        for at, record in records.items():
            for path, value in scalars(record):
                values[value].add(at)
                where[value].add(path)
        by_value[destination], places[destination] = values, where
    for one, other in itertools.combinations(found, 2):
        for value in by_value[one].keys() & by_value[other].keys():
            mine, theirs = by_value[one][value], by_value[other][value]
            same_event = len(mine) == 1 and mine == theirs
            people = {persons.get(at) for at in mine | theirs}
            if same_event or (len(people) == 1 and None not in people):
                linked |= {(a, b) for a in places[one][value] - meant for b in places[other][value] - meant}
    return linked


def folder(tmp_path: Path, destinations: str) -> Path:
    (tmp_path / "destinations.yaml").write_text(destinations)
    for name in ("policy.yaml", "rules.yaml"):
        (tmp_path / name).write_text((CONFIG / "minimal" / name).read_text())
    return tmp_path


def bundle_of(tmp_path: Path, destinations: str) -> Bundle:
    bundle = check_folder(folder(tmp_path, destinations)).bundle
    assert bundle is not None
    return bundle


def test_the_shipped_destinations_cannot_join_their_records() -> None:
    bundle = reference_bundle()
    meant = {*WORDS, *json.loads(bundle.source)["policy"]["shared"]}
    found, _ = run(bundle)
    assert all(len(records) > EVENTS // 20 for records in found.values()), {k: len(v) for k, v in found.items()}
    assert any("pid_prev" in record for record in found["clean"].values())
    assert joins(found, meant) == set()


def test_destinations_that_pseudonymise_one_field_alike_cannot(tmp_path: Path) -> None:
    found, _ = run(bundle_of(tmp_path, WIDE))
    assert any("n" in record["fields"] for record in found["crm"].values())
    assert joins(found, set(WORDS)) == set()


def test_a_shared_value_is_found_here_and_by_the_check(tmp_path: Path) -> None:
    found, _ = run(bundle_of(tmp_path, LEAKY))
    assert joins(found, set(WORDS)) == {("fields.number", "fields.count")}
    problems = check_folder(tmp_path).problems
    assert any('"properties.n" reaches "clean" and "crm"' in problem.message for problem in problems)


def test_no_id_of_a_destination_is_in_another_or_in_the_audit_log() -> None:
    found, leaves = run(reference_bundle())
    seen: dict[str, set[str]] = {
        name: {
            str(value).rpartition(".")[2]
            for record in records.values()
            for place in ("subject", "pid_prev", "key", "event_id", "proof_id")
            for value in [record[place]]
        }
        for name, records in found.items()
    }
    seen["audit"] = {str(value) for leaf in leaves for _, value in scalars(leaf) if isinstance(value, str)}
    for one, other in itertools.combinations(seen.values(), 2):
        assert not one & other


@pytest.mark.parametrize("place", ["event_id", "proof_id"])
def test_ids_are_of_one_event(place: str) -> None:
    found, _ = run(reference_bundle())
    for records in found.values():
        values = [record[place] for record in records.values()]
        assert len(set(values)) == len(values)
