"""Requests and the control log: what may become a leaf, and what follows from it."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import TYPE_CHECKING

import msgspec
import pytest

from tamis.domain.audit.control import ControlError, ControlLeaf, ControlState, decode_control, encode_control
from tamis.domain.audit.merkle import EMPTY_ROOT
from tamis.domain.audit.notices import EpochReason, Previous
from tamis.domain.audit.origin import LogOrigin
from tamis.domain.audit.requests import (
    EpochOpened,
    ErasureReceipt,
    Request,
    RequestError,
    WorkerKeyRevoked,
    decode_request,
    encode_request,
    enrolment_key,
)
from tamis.keys.sealer import SealingKeys, new_entry, read_sealing_keys, write_sealing_keys
from tamis.services.sequencer import IGNORED, REFUSED, Sequencer
from tamis.settings import SetupError
from tamis.stores.sealer_store import SealConflictError, SealerStore
from tamis.streaming.agents.audit_key import InMemorySigner, WorkerSigner

if TYPE_CHECKING:
    from pathlib import Path

ENROL = enrolment_key(hashlib.sha256(b"enrol").digest())
PUBLIC = ENROL.public_key().public_bytes_raw()
CONTROL = LogOrigin("log.example/x", "audit.control", 0)
NOW = 1_800_000_000_000
EPOCH = EpochOpened(at=NOW, epoch=2, log="audit.log", partition=3, reason=EpochReason.RESTORED)


def _sequencer(folder: Path) -> Sequencer:
    return Sequencer(CONTROL, SealerStore(folder), PUBLIC, ("audit.log",), lambda: NOW)


def test_a_signed_request_is_read_and_any_change_refuses_it() -> None:
    value = encode_request(EPOCH, ENROL.sign)
    assert decode_request(value, PUBLIC) == EPOCH
    for changed in (value.replace(b'"epoch":2', b'"epoch":3'), value[:-5], b"", b"{}", value.replace(b"kind", b"king"),
                    encode_request(EPOCH, enrolment_key(b"x" * 32).sign)):  # fmt: skip
        with pytest.raises(RequestError):
            decode_request(changed, PUBLIC)


@pytest.mark.parametrize(
    "request_",
    [WorkerKeyRevoked(at=1, id="ada@example.test"), ErasureReceipt(at=1, request="Ada Lovelace", records=1),
     EpochOpened(at=1, epoch=2, log="a/b", partition=0, reason=EpochReason.DAMAGED)],
)  # fmt: skip
def test_free_text_has_no_place(request_: Request) -> None:
    with pytest.raises(RequestError, match="plain id"):
        decode_request(encode_request(request_, ENROL.sign), PUBLIC)


def test_a_worker_key_signs_for_itself() -> None:
    signer = InMemorySigner(NOW, 1_000, ENROL.sign)
    found = decode_request(signer.registration, PUBLIC)
    stolen = msgspec.structs.replace(found, not_after=NOW + 10**12)
    with pytest.raises(RequestError, match="sign for itself"):
        decode_request(encode_request(stolen, ENROL.sign), PUBLIC)


def test_a_worker_changes_its_key_when_half_of_its_time_is_over() -> None:
    times = iter([0, 40_000, 49_999, 50_000])
    worker = WorkerSigner(ENROL.sign, 100.0, lambda: next(times))
    ids = [worker.current().id for _ in range(4)]
    assert ids[0] == ids[1] == ids[2] != ids[3]


def test_requests_become_leaves_once_and_survive_a_restart(tmp_path: Path) -> None:
    first = _sequencer(tmp_path)
    registration = InMemorySigner(NOW, 1_000, ENROL.sign).registration
    for offset, value in enumerate([registration, registration, b"?", encode_request(EPOCH, ENROL.sign)] * 2):
        first.take(value, offset)
    first.keep()
    assert (first.state.size, first.taken[IGNORED], first.taken[REFUSED]) == (2, 4, 2)
    again = _sequencer(tmp_path)
    assert (again.state.size, again.requests_next, again.state.epoch("audit.log", 3)) == (2, 8, 2)
    assert again.state.openings["audit.log", 3].previous.root == b64encode(EMPTY_ROOT).decode()
    other = _sequencer(tmp_path)
    for each, value in ((again, b"1" * 16), (other, b"2" * 16)):
        each.add(WorkerKeyRevoked(at=NOW, id=value.decode()))
    again.keep()
    with pytest.raises(SealConflictError):
        other.keep()


def test_sealing_keys_rotate_under_the_signature_of_both(tmp_path: Path) -> None:
    keys = SealingKeys((new_entry("2026", NOW - 1),))
    sequencer = _sequencer(tmp_path / "s")
    sequencer.publish_keys(keys)
    keys = keys.rotated("2026", NOW, overlap_ms=1_000)
    sequencer.publish_keys(keys)
    sequencer.publish_keys(keys)
    assert [key.epoch for key in sequencer.state.sealers] == ["2026", "2026b"]
    assert sequencer.state.sealers[1].by == sequencer.state.sealers[0].key
    assert [len(keys.active(at)) for at in (NOW, NOW + 999, NOW + 1_000)] == [2, 2, 1]
    note = keys.seal("log.example/x/audit.log/p0/e1", "text\n", NOW)
    assert len(note.signatures) == 2
    sequencer.publish_keys(keys.revoked("2026", NOW))
    assert list(sequencer.state.revoked_sealers) == [sequencer.state.sealers[0].key]
    with pytest.raises(SetupError):
        keys.revoked("2026", NOW).revoked("2026b", NOW).active(NOW)
    write_sealing_keys(tmp_path / "keys.json", keys, new=True)
    assert read_sealing_keys(tmp_path / "keys.json").entries == keys.entries
    with pytest.raises(SetupError, match="exists already"):
        write_sealing_keys(tmp_path / "keys.json", keys, new=True)
    (tmp_path / "keys.json").chmod(0o644)
    with pytest.raises(SetupError, match="others may read"):
        read_sealing_keys(tmp_path / "keys.json")


@pytest.mark.parametrize(
    "change", [{"seq": 1}, {"sealed_at": -1}, {"log": "other/audit.control/p0/e1"}, {"prev": None}]
)
def test_a_control_leaf_out_of_place_is_refused(change: dict[str, object]) -> None:
    leaf = ControlLeaf(
        entry=EPOCH, log=str(CONTROL), sealed_at=NOW, seq=0, prev=Previous(log="log.example/x/a/p3/e1", root="", size=0)
    )
    ControlState("log.example/x").add(decode_control(encode_control(leaf)))
    with pytest.raises(ControlError):
        ControlState("log.example/x").add(msgspec.structs.replace(leaf, **change))
