"""Checkpoints and carried proofs: exactly what the formats allow."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tamis.domain.audit.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from tamis.domain.audit.merkle import leaf_hash, node_hash
from tamis.domain.audit.note import Note, NoteError, NoteSigner
from tamis.domain.audit.origin import LogOrigin, parse_origin
from tamis.domain.audit.tlog_proof import TlogProof, parse_tlog_proof

ORIGIN = "audit.example.org/prod/audit.log/p17/e1"
ROOT = leaf_hash(b"a")
TEXT = str(Checkpoint(ORIGIN, 1, ROOT))
SIGNER = NoteSigner(ORIGIN, Ed25519PrivateKey.from_private_bytes(b"\x01" * 32))


def _signed(checkpoint: Checkpoint) -> str:
    text = str(checkpoint)
    return str(Note(text, (SIGNER.sign(text),)))


def test_a_checkpoint_is_three_lines() -> None:
    assert TEXT.count("\n") == 3
    assert parse_checkpoint(TEXT) == Checkpoint(ORIGIN, 1, ROOT)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n1\n",
        TEXT + "extension\n",
        TEXT[:-1],
        TEXT.replace("\n1\n", "\n01\n"),
        TEXT.replace("\n1\n", "\n-1\n"),
        TEXT.replace("\n1\n", "\n1e3\n"),
        TEXT.replace("\n1\n", f"\n{1 << 63}\n"),
        TEXT.replace("=\n", "\n"),
        TEXT.replace("=\n", "A=\n"),
        TEXT.replace("prod", "pr od"),
        "\n" + TEXT,
        TEXT.replace("\n1\n", "\n\u0661\n"),
    ],
)
def test_what_is_no_checkpoint(text: str) -> None:
    with pytest.raises(NoteError):
        parse_checkpoint(text)


def test_only_a_key_named_after_the_origin_counts() -> None:
    other = NoteSigner("audit.example.org/prod/audit.log/p18/e1", Ed25519PrivateKey.from_private_bytes(b"\x01" * 32))
    note = Note(TEXT, (other.sign(TEXT),))
    with pytest.raises(NoteError, match="no signature"):
        open_checkpoint(note.encode(), [other.vkey])
    assert open_checkpoint(_signed(Checkpoint(ORIGIN, 1, ROOT)), [SIGNER.vkey, other.vkey])[0].size == 1


def test_origins() -> None:
    origin = LogOrigin("audit.example.org/prod", "audit.log", 17, 1)
    assert str(origin) == ORIGIN
    assert parse_origin(ORIGIN) == origin
    assert origin.folder == "audit.log/p17/e1"
    assert str(origin.at_epoch(2)).endswith("/e2")
    for wrong in ("", "a/p1/e1", "a/b/p01/e1", "a/b/p1/e0", "a/b/p1", "a b/c/p1/e1", "a+/c/p1/e1"):
        with pytest.raises(ValueError, match="origin"):
            parse_origin(wrong)


def test_a_carried_proof_round_trips_and_verifies() -> None:
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    checkpoint = _signed(Checkpoint(ORIGIN, 2, node_hash(left, right)))
    for extra in (None, b"", b"words"):
        proof = TlogProof(1, (left,), checkpoint, extra)
        assert parse_tlog_proof(str(proof)) == proof
        assert parse_tlog_proof(str(proof).encode()).verify(b"b", [SIGNER.vkey]).size == 2
    for entry, index in ((b"a", 1), (b"b", 0), (b"b", 2)):
        with pytest.raises(NoteError, match="does not lead"):
            TlogProof(index, (left,), checkpoint).verify(entry, [SIGNER.vkey])


def test_a_proof_without_hashes() -> None:
    checkpoint = _signed(Checkpoint(ORIGIN, 1, ROOT))
    proof = parse_tlog_proof(str(TlogProof(0, (), checkpoint)))
    assert proof.verify(b"a", [SIGNER.vkey]).root == ROOT


@pytest.mark.parametrize(
    "change",
    [
        ("@v1", "@v2"),
        ("index 1", "index 01"),
        ("index 1", "index -1"),
        ("index 1\n", ""),
        ("index", "Index"),
        ("=\n\naudit", "\n\naudit"),
        ("\n\naudit", "\naudit"),
        ("index 1", "extra !\nindex 1"),
    ],
)
def test_what_is_no_proof(change: tuple[str, str]) -> None:
    left = leaf_hash(b"a")
    text = str(TlogProof(1, (left,), _signed(Checkpoint(ORIGIN, 2, node_hash(left, left)))))
    assert change[0] in text
    with pytest.raises(NoteError):
        parse_tlog_proof(text.replace(change[0], change[1], 1)).verify(b"b", [SIGNER.vkey])
