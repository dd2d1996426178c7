"""The sealer on a real Kafka: it signs what is committed and attested, once, and remembers what it signed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tamis.domain.audit.checkpoint import open_checkpoint
from tamis.domain.audit.control import decode_control
from tamis.domain.audit.note import NoteError
from tamis.domain.audit.notices import EpochReason, Opening, Previous
from tamis.domain.audit.origin import LogOrigin
from tamis.domain.audit.report import Check
from tamis.domain.audit.requests import EpochOpened, WorkerKeyRevoked, encode_request
from tamis.kafka.reader import read_topic
from tamis.records.topics import Topic
from tamis.services.sealed_check import verify_sealed
from tamis.services.sealer import wall_ms
from tamis.settings import KafkaSettings
from tamis.stores.sealer_store import SealConflictError
from tests.support.audit import edited
from tests.support.sealing import ENROL, Installation, signer, state_of, until_quiet

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.audit import Record
    from tests.support.kafka.cluster import KafkaCluster

pytestmark = pytest.mark.kafka


@pytest.fixture
def installation(kafka: KafkaCluster, tmp_path: Path) -> Installation:
    return Installation(kafka, tmp_path / "sealer")


def _checkpoints(installation: Installation) -> dict[str, list[int]]:
    """Sizes by origin, every checkpoint opened."""
    kafka, sizes = KafkaSettings(bootstrap=installation.kafka.bootstrap), dict[str, list[int]]()
    for record in read_topic(kafka, installation.topic(Topic.AUDIT_CHECKPOINTS)):
        origin = (record.key or b"").decode()
        sizes.setdefault(origin, []).append(
            open_checkpoint(record.value or b"", installation.keys.vkeys(origin))[0].size
        )
    return sizes


def _sealed(installation: Installation) -> list[Record]:
    """Two batches sealed, the sealer ended; the records of partition 0."""
    installation.register()
    records = installation.batch(0, [1, 2, 1]) + installation.batch(0, [1, 1])
    sealer = installation.sealer()
    until_quiet(sealer)
    assert state_of(sealer) == (6, "")
    sealer.close()
    return records


def _again(installation: Installation, kafka: KafkaCluster, records: list[Record]) -> tuple[int, str]:
    """The topic deleted and made anew with these records; what a sealer that comes back says."""
    kafka.delete_topics(installation.topic(Topic.AUDIT_LOG))
    kafka.create_topics({installation.topic(Topic.AUDIT_LOG): installation.partitions})
    installation.send(Topic.AUDIT_LOG, 0, records)
    return _now(installation)


def _now(installation: Installation) -> tuple[int, str]:
    sealer = installation.sealer()
    until_quiet(sealer)
    found = state_of(sealer)
    sealer.close()
    return found


def test_committed_attested_batches_are_sealed_published_and_verify(installation: Installation) -> None:
    installation.register()
    for events in ([1, 2, 1], [1] * 300):
        installation.batch(0, events)
    installation.batch(1, [1] * 5, lost=(0, 3))
    sealer = installation.sealer()
    until_quiet(sealer)
    assert (state_of(sealer, 0), state_of(sealer, 1)) == ((304, ""), (6, ""))
    sealer.close()
    assert {origin: max(sizes) for origin, sizes in _checkpoints(installation).items()} == {
        "localhost/tamis/audit.control/p0/e1": 2,
        "localhost/tamis/audit.log/p0/e1": 304,
        "localhost/tamis/audit.log/p1/e1": 6,
    }
    reports = verify_sealed(installation.folder, installation.keys.vkeys("localhost/tamis"))
    assert [(report.ok, report.sealed, report.attested) for report in reports] == [
        (True, 2, 0),
        (True, 304, 2),
        (True, 6, 1),
    ]


@pytest.mark.parametrize("attack", ["edit", "delete", "reorder", "recreate"])
def test_a_log_rewritten_in_a_topic_made_anew_is_refused(
    installation: Installation, kafka: KafkaCluster, attack: str
) -> None:
    records = _sealed(installation)
    changed = {
        "edit": [edited(records[0], lambda value: value.update(why="denied")), *records[1:]],
        "delete": records[1:],
        "reorder": [records[1], records[0], *records[2:]],
        "recreate": records,
    }[attack]
    assert _again(installation, kafka, changed) == (6, Check.TOPIC)
    control = [report for report in verify_sealed(installation.folder) if "control" in report.log]
    assert control[0].leaves == 3, "the incident stands in the control log"


@pytest.mark.parametrize(
    ("attack", "check"),
    [("edit", Check.ROOT), ("delete", Check.SEQUENCE), ("reorder", Check.BEGINNING), ("forged", Check.ATTESTATION),
     ("swap", Check.SOURCE)],
)  # fmt: skip
def test_what_is_rewritten_before_it_is_sealed_fails_its_check(
    installation: Installation, attack: str, check: Check
) -> None:
    installation.register()
    writer = installation.writers[0]
    if attack == "forged":
        writer.log.signer = signer()
        writer.log.signer.id = installation.signer.id  # type: ignore[misc]
    writer.batch([1, 2, 1])
    honest = writer.records
    other = installation.writers[1]
    other.batch([1, 2, 1])
    installation.send(Topic.AUDIT_LOG, 0, {
        "edit": [edited(honest[0], lambda value: value.update(why="denied")), *honest[1:]],
        "delete": [honest[0], *honest[2:]],
        "reorder": [honest[1], honest[0], *honest[2:]],
        "forged": honest,
        "swap": other.records,
    }[attack])  # fmt: skip
    assert _now(installation) == (0, check)


def test_truncation_by_deleting_records(installation: Installation, kafka: KafkaCluster) -> None:
    _sealed(installation)
    installation.batch(0, [1, 1])
    kafka.delete_records(installation.topic(Topic.AUDIT_LOG), {0: 11})
    assert _now(installation) == (6, Check.BEGINNING), "deleted before the sealer had read them"
    assert all(report.ok for report in verify_sealed(installation.folder)), "what was sealed needs no Kafka"


def test_a_rogue_producer_and_a_replay_are_refused(installation: Installation) -> None:
    records = _sealed(installation)
    installation.send(Topic.AUDIT_LOG, 0, records)
    assert _now(installation) == (6, Check.SEQUENCE)
    rogue = installation.writer(1)
    rogue.log.signer = signer()
    rogue.batch([1])
    installation.send(Topic.AUDIT_LOG, 1, rogue.records)
    installation.request(encode_request(WorkerKeyRevoked(at=0, id=installation.signer.id), signer().sign))
    sealer = installation.sealer(key_wait_s=0.3)
    until_quiet(sealer)
    assert state_of(sealer, 1) == (0, Check.ATTESTATION)
    assert installation.signer.id not in sealer.sequencer.state.revoked, "a request signed by nobody known"
    sealer.close()


def test_a_back_dated_batch_is_refused(installation: Installation) -> None:
    _sealed(installation)
    installation.writers[0].clock -= 60_000
    installation.batch(0, [1])
    assert _now(installation) == (6, Check.CLOCK)


def test_a_revoked_worker_key_seals_nothing_more(installation: Installation) -> None:
    _sealed(installation)
    installation.request(encode_request(WorkerKeyRevoked(at=wall_ms(), id=installation.signer.id), ENROL.sign))
    assert _now(installation) == (6, "")
    installation.batch(0, [1])
    assert _now(installation) == (6, Check.ATTESTATION)
    assert all(report.ok for report in verify_sealed(installation.folder)), "what was sealed before stays valid"


def test_a_stolen_sealing_key_forges_what_only_a_witness_sees(installation: Installation, tmp_path: Path) -> None:
    _sealed(installation)
    forged = Installation(installation.kafka, tmp_path / "forged")
    forged.keys = installation.keys
    forged.register()
    forged.batch(0, [1, 1, 1, 1, 1, 1, 1])
    assert _now(forged) == (7, "")
    keys = installation.keys.vkeys("localhost/tamis")
    assert all(report.ok for report in verify_sealed(forged.folder, keys)), "the key is the thief's proof"
    ours = open_checkpoint((installation.folder / "audit.log/p0/e1/checkpoint").read_bytes(), keys and [
        key.renamed("localhost/tamis/audit.log/p0/e1") for key in keys])[0]  # fmt: skip
    assert ours.size == 6, "two signed histories of one log: a witness has seen one of them"


def test_another_partitions_checkpoint_does_not_pass(installation: Installation) -> None:
    _sealed(installation)
    other = installation.keys.vkeys("localhost/tamis/audit.log/p1/e1")
    with pytest.raises(NoteError):
        open_checkpoint((installation.folder / "audit.log/p0/e1/checkpoint").read_bytes(), other)


def test_of_two_sealers_on_one_store_one_signs_each_size(installation: Installation) -> None:
    installation.register()
    installation.batch(0, [1, 1])
    first, second = installation.sealer(), installation.sealer()
    until_quiet(first)
    with pytest.raises(SealConflictError):
        until_quiet(second)
    installation.batch(0, [1])
    until_quiet(first)
    first.close()
    sizes = _checkpoints(installation)["localhost/tamis/audit.log/p0/e1"]
    assert sorted(sizes) == sorted(set(sizes)) == [2, 3]


def test_a_lost_tail_goes_on_in_a_new_epoch_only(installation: Installation, kafka: KafkaCluster) -> None:
    records = _sealed(installation)
    assert _again(installation, kafka, records[:4]) == (6, Check.TOPIC)
    request = EpochOpened(at=wall_ms(), epoch=2, log="audit.log", partition=0, reason=EpochReason.RESTORED)
    installation.request(encode_request(request, ENROL.sign))
    sealer = installation.sealer()
    until_quiet(sealer)
    opening = sealer.sequencer.state.openings["audit.log", 0]
    assert opening.previous.size == 6
    wrong = Opening(origin=opening.origin, reason=opening.reason,
                    previous=Previous(log=opening.previous.log, root=opening.previous.root, size=5))  # fmt: skip
    assert wrong.origin == LogOrigin("localhost/tamis", "audit.log", 0, 2)
    installation.begin_epoch(opening, committed=5)
    installation.batch(0, [1, 1])
    until_quiet(sealer)
    assert state_of(sealer) == (3, ""), "the epoch leaf and two events"
    sealer.close()
    reports = verify_sealed(installation.folder, installation.keys.vkeys("localhost/tamis"))
    assert [report.failure for report in reports] == [None] * len(reports)
    shutil.rmtree(installation.folder / "audit.control")
    (bad,) = [report for report in verify_sealed(installation.folder) if report.log.endswith("p0/e2")]
    assert bad.attested == 0, "without the control log no worker key is known"


def test_a_sealer_that_dies_before_it_publishes_leaves_no_hole_in_control(installation: Installation) -> None:
    for death in range(3):
        dying = installation.sealer()
        dying.sequencer.add(WorkerKeyRevoked(at=wall_ms(), id=f"{death:016x}"))
        dying.sequencer.keep()
        assert dying.control.seal() is not None
        dying.close()
    last = installation.sealer()
    last.sequencer.add(WorkerKeyRevoked(at=wall_ms(), id="f" * 16))
    last.seal()
    last.close()
    kafka = KafkaSettings(bootstrap=installation.kafka.bootstrap)
    records = read_topic(kafka, installation.topic(Topic.AUDIT_CONTROL))
    leaves = [decode_control(record.value or b"").seq for record in records]
    assert list(dict.fromkeys(leaves)) == list(range(5)), "a sealing key and four revocations, in order"
