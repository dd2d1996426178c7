"""Other people's verifiers judge what we write: Go's Tessera, x/mod and merkle, and metamorphic-log in Rust.

They accept every log, checkpoint, inclusion and consistency proof of ours, and none with a byte changed.
"""

from __future__ import annotations

import random
import shutil
from typing import TYPE_CHECKING

import metamorphic_log
import pytest

from tamis.domain.audit.merkle import leaf_hash
from tamis.domain.audit.proof import inclusion_proof
from tamis.domain.audit.tlog_proof import TlogProof
from tamis.services.evidence import EvidenceGatherer
from tamis.services.leaf_search import Found
from tamis.stores.sealed_folder import SealedFolder
from tests.support.outside import Outside, flips
from tests.support.requirements import require
from tests.support.sealed import SealedLog, numbered
from tests.support.sealed_folder import write_log
from tests.support.sealed_prod import WITNESSES, prod_log, write_prod

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZES = (1, 2, 3, 255, 256, 257, 511, 512, 1000, 2000)


@pytest.fixture(scope="module")
def outside() -> Iterator[Outside]:
    require("go")
    with Outside() as program:
        yield program


@pytest.mark.parametrize("size", SIZES)
def test_tessera_and_x_mod_accept_a_log_of_any_size(outside: Outside, tmp_path: Path, size: int) -> None:
    log = SealedLog(numbered(size))
    place = write_log(tmp_path, log)
    assert outside.ask("fsck", dir=place, keys=[log.signer.vkey]) == {"ok": True}
    assert outside.ask("tiles", dir=place, keys=[log.signer.vkey])["said"] == {"size": size}


def test_tessera_accepts_a_log_whose_levels_reach_a_full_tile(outside: Outside, tmp_path: Path) -> None:
    log = SealedLog(numbered(256 * 256 + 3))
    place = write_log(tmp_path, log)
    assert (place / "tile/1/000").stat().st_size == 256 * 32
    assert outside.ask("fsck", dir=place, keys=[log.signer.vkey]) == {"ok": True}


def test_tessera_refuses_a_changed_byte_in_every_kind_of_file(outside: Outside, tmp_path: Path) -> None:
    log = SealedLog(numbered(700))
    place = write_log(tmp_path, log)
    kinds = ["checkpoint", "tile/0/001", "tile/0/002.p/188", "tile/1/000.p/2", "tile/entries/000",
             "tile/entries/002.p/188"]  # fmt: skip
    dice = random.Random(5)
    for name in kinds:
        path = place / name
        kept = path.read_bytes()
        for changed in flips(kept, dice.sample(range(len(kept)), min(len(kept), 12))):
            path.write_bytes(changed)
            assert not outside.accepts("fsck", dir=place, keys=[log.signer.vkey]), name
        path.write_bytes(kept)
    assert outside.accepts("fsck", dir=place, keys=[log.signer.vkey])
    shutil.rmtree(place / "tile/1")
    assert not outside.accepts("fsck", dir=place, keys=[log.signer.vkey])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> SealedFolder:
    return write_prod(tmp_path_factory.mktemp("sealed"))


def _telling(text: bytes) -> list[int]:
    """All places but the last character of padded base64, of which Go ignores bits that no byte has; we refuse them."""
    return [at for at in range(len(text)) if text[at + 1 : at + 2] != b"="]


def _rust(proof: TlogProof, leaf: bytes, vkey: str) -> bool:
    try:
        metamorphic_log.checkpoint_verify_inclusion(
            proof.checkpoint, [vkey], proof.index, leaf_hash(leaf), list(proof.hashes)
        )
    except metamorphic_log.VerifyError:
        return False
    return True


def test_go_and_rust_accept_our_proofs_and_no_changed_byte(outside: Outside, folder: SealedFolder) -> None:
    log, witnesses = folder.logs[0], [each.vkey for each in WITNESSES]
    key = prod_log(0, 1).signer.vkey
    evidence = EvidenceGatherer(folder).gather([Found(log, 123, log.entry(123))])
    (item,) = evidence.manifest.items
    leaf, text = evidence.files[item.leaf], evidence.files[item.proofs[0]]
    facts = {"keys": [key], "witnesses": witnesses}
    assert outside.ask("proof", leaf=leaf, proof=text, **facts)["said"] == {
        "origin": str(log.origin), "index": 123, "size": 700,
    }  # fmt: skip
    for changed in flips(text, _telling(text)):
        assert not outside.accepts("proof", leaf=leaf, proof=changed, **facts)
    for changed in flips(leaf, range(0, len(leaf), 5)):
        assert not outside.accepts("proof", leaf=changed, proof=text, **facts)
    proof = TlogProof(123, tuple(inclusion_proof(log.node(), 123, log.size)), str(log.note))
    assert _rust(proof, leaf, str(key))
    assert not _rust(TlogProof(124, proof.hashes, proof.checkpoint), leaf, str(key))
    assert not _rust(proof, leaf + b" ", str(key))
    note = prod_log(0, 700).note().encode()  # without cosignatures, which it does not know
    for changed in flips(note, _telling(note)):
        assert not _rust(TlogProof(123, proof.hashes, changed.decode("utf-8", "replace")), leaf, str(key))
    for changed in flips(leaf, range(0, len(leaf), 5)):
        assert not _rust(proof, changed, str(key))
    for at in range(len(proof.hashes)):
        hashes = list(proof.hashes)
        hashes[at] = leaf_hash(hashes[at])
        assert not _rust(TlogProof(123, tuple(hashes), proof.checkpoint), leaf, str(key))


def test_go_and_rust_accept_random_proofs_of_all_sizes(outside: Outside) -> None:
    dice = random.Random(2)
    log = SealedLog(numbered(2_000))
    key = log.signer.vkey
    for _ in range(300):
        size = dice.randint(1, 2_000)
        index, old = dice.randrange(size), dice.randint(0, size)
        note, older = log.note(size), log.note(old)
        proof = TlogProof(index, tuple(inclusion_proof(log.node, index, size)), str(note))
        assert outside.accepts("proof", leaf=log.leaves[index], proof=str(proof).encode(), keys=[key])
        assert _rust(proof, log.leaves[index], str(key))
        facts = {"old": older.encode(), "new": note.encode(), "keys": [key], "hashes": log.prove(old, size)}
        assert outside.accepts("consistency", **facts), (old, size)
        if 0 < old < size:
            metamorphic_log.checkpoint_verify_consistency(str(older), str(note), [str(key)], log.prove(old, size))
            forged = SealedLog([b"{}", *log.leaves[1:old]], log.origin).note(old)
            assert not outside.accepts("consistency", **(facts | {"old": forged.encode()}))


def test_go_reads_our_cosignatures_and_refuses_changed_ones(outside: Outside) -> None:
    log = SealedLog(numbered(9))
    note = log.note(cosigners=WITNESSES, time_s=1_799_999_999).encode()
    facts = {"keys": [log.signer.vkey], "witnesses": [each.vkey for each in WITNESSES]}
    times = outside.ask("note", new=note, **facts)["said"]["times"]
    assert times == {each.vkey.name: 1_799_999_999 for each in WITNESSES}
    for changed in flips(note, _telling(note)):
        assert not outside.accepts("note", new=changed, **facts)
    assert metamorphic_log.verify_signed_note(note.decode(), [str(log.signer.vkey)]) == 1
