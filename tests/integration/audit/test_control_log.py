"""What others ask to be put into ``audit.control``, and what a change of keys does, on a real Kafka."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tamis.domain.audit.control import SealerKey, decode_control
from tamis.domain.audit.requests import (
    ErasureReceipt,
    LookReason,
    PolicyBundle,
    QuarantineLook,
    Request,
    encode_request,
)
from tamis.services.sealed_check import verify_sealed
from tamis.services.sealer import wall_ms
from tamis.stores.sealed_folder import SealedFolder
from tests.support.sealing import ENROL, Installation, signer, until_quiet

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.kafka.cluster import KafkaCluster

pytestmark = pytest.mark.kafka


@pytest.fixture
def installation(kafka: KafkaCluster, tmp_path: Path) -> Installation:
    return Installation(kafka, tmp_path / "sealer")


def test_looks_receipts_and_bundles_stand_in_a_control_log_that_verifies(installation: Installation) -> None:
    look = QuarantineLook(at=wall_ms(), by="k3y3d", count=2, first=17, partition=1, reason=LookReason.DATA_SUBJECT)
    receipt = ErasureReceipt(at=wall_ms(), request="0f8c2c1e", records=3)
    asked: list[Request] = [look, receipt, PolicyBundle(at=wall_ms(), hash="b" * 32)]
    values = [encode_request(each, ENROL.sign) for each in asked]
    for value in (*values, *values, encode_request(receipt, signer().sign), b"nonsense", b"{" * 5_000):
        installation.request(value)
    sealer = installation.sealer()
    until_quiet(sealer)
    taken = dict(sealer.sequencer.taken)
    assert {kind: taken[kind] for kind in ("quarantine-look", "erasure", "bundle", "ignored", "refused")} == {
        "quarantine-look": 1, "erasure": 2, "bundle": 1, "ignored": 2, "refused": 3,
    }  # fmt: skip
    sealer.close()
    again = installation.sealer()
    installation.request(values[0])
    until_quiet(again)
    assert dict(again.sequencer.taken) == {"ignored": 1}, "a replay after a restart is harmless too"
    again.close()
    log = SealedFolder(installation.folder).log("localhost/tamis/audit.control/p0/e1")
    assert log is not None
    entries = [decode_control(log.entry(n)).entry for n in range(log.size)]
    found = [each for each in entries if not isinstance(each, SealerKey)]
    assert found == [*asked, receipt], "two subjects of one request have equal receipts"
    assert all(report.ok for report in verify_sealed(installation.folder, installation.keys.vkeys("localhost/tamis")))


def test_logs_that_do_not_grow_are_signed_anew_when_a_key_is_revoked(installation: Installation) -> None:
    installation.register()
    installation.batch(0, [1, 2, 1])
    sealer = installation.sealer()
    until_quiet(sealer)
    old, now = installation.keys, wall_ms()
    installation.keys = old.rotated("2027", now).revoked("2026", now)
    until_quiet(sealer)
    sealer.close()
    keys = (*old.vkeys("localhost/tamis"), *installation.keys.vkeys("localhost/tamis"))
    reports = verify_sealed(installation.folder, keys)
    assert [report.failure for report in reports] == [None] * 2, "none is signed by the revoked key alone"
    assert all(not report.ok for report in verify_sealed(installation.folder, old.vkeys("localhost/tamis")))
