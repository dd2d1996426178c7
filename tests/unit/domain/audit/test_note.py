"""Signed notes: the example of Go's note package, and everything that must not count as one."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tamis.domain.audit.cosignature import Cosigner, cosigned_by, time_of
from tamis.domain.audit.note import (
    MAX_SIGNATURES,
    KeyKind,
    Note,
    NoteError,
    NoteSigner,
    Signature,
    parse_note,
    parse_vkey,
    require_signed,
)

# golang.org/x/mod/sumdb/note, package documentation
VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
SUMDB = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"


def _signer(name: str, seed: int = 1) -> NoteSigner:
    return NoteSigner(name, Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


def test_a_note_signed_by_another_program_opens() -> None:
    key = parse_vkey(VKEY)
    note = parse_note(NOTE)
    assert require_signed(note, [key]) == (key,)
    assert str(note) == NOTE
    assert str(key) == VKEY
    assert str(parse_vkey(SUMDB)) == SUMDB


@pytest.mark.parametrize("at", range(0, len(NOTE), 7))
def test_one_changed_character_is_refused(at: int) -> None:
    changed = NOTE[:at] + ("a" if NOTE[at] != "a" else "b") + NOTE[at + 1 :]
    with pytest.raises(NoteError):
        require_signed(parse_note(changed), [parse_vkey(VKEY)])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a\n",
        "a\n\n",
        "\n\n",
        "a\n\nb\n",
        "a\n\n\u2014 n AAAA\n",
        "a\n\n\u2014 n AAAAAAAA",
        "a\tb\n\n\u2014 n AAAAAAAA\n",
        "a\n\n\u2014 n+m AAAAAAAA\n",
        "a\n\n\u2014  AAAAAAAA\n",
        "a\n\n- n AAAAAAAA\n",
        "a\n\n\u2014 n AAAAAAA=A\n",
        "a\n\n\u2014 n AAAAAAB=\n",
    ],
)
def test_what_is_no_note(text: str) -> None:
    with pytest.raises(NoteError):
        parse_note(text)


def test_bytes_that_are_no_text_and_too_many_signatures_are_no_note() -> None:
    with pytest.raises(NoteError):
        parse_note(b"\xff\n\n")
    with pytest.raises(NoteError):
        parse_note("a\n\n" + "\u2014 n AAAAAAAA\n" * (MAX_SIGNATURES + 1))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a+b",
        "a+b+c",
        VKEY.replace("c74f20a3", "c74f20a4"),
        VKEY.replace("Peter", "Pater"),
        VKEY[:-4],
        VKEY.replace("+ARpc", "+AhPc"),
        VKEY.upper(),
    ],
)
def test_what_is_no_vkey(text: str) -> None:
    with pytest.raises(NoteError):
        parse_vkey(text)


def test_signatures_of_unknown_keys_are_ignored_and_are_not_enough() -> None:
    text = "hello\n"
    known, stranger = _signer("log.example/a"), _signer("log.example/a", 2)
    note = Note(text, (stranger.sign(text), known.sign(text)))
    assert require_signed(parse_note(note.encode()), [known.vkey]) == (known.vkey,)
    with pytest.raises(NoteError, match="no signature"):
        require_signed(Note(text, (stranger.sign(text),)), [known.vkey])


def test_a_signature_counts_under_its_name_only() -> None:
    one, other = _signer("log.example/a"), _signer("log.example/b")
    moved = Signature(other.vkey.name, other.vkey.id, one.sign("x\n").blob)
    assert require_signed(Note("x\n", (moved,)), [other.vkey]), "the text names the log, the name alone does not"
    assert one.vkey.id != other.vkey.id
    with pytest.raises(NoteError, match="no signature"):
        require_signed(Note("x\n", (one.sign("x\n"),)), [other.vkey])


def test_a_broken_signature_of_a_known_key_refuses_the_note() -> None:
    old, new = _signer("log", 1), _signer("log", 2)
    broken = Signature("log", old.vkey.id, bytes(64))
    with pytest.raises(NoteError, match="does not verify"):
        require_signed(Note("x\n", (new.sign("x\n"), broken)), [old.vkey, new.vkey])


def test_two_keys_of_one_name_both_count() -> None:
    old, new = _signer("log", 1), _signer("log", 2)
    note = Note("x\n", ()).with_signatures([old.sign("x\n"), new.sign("x\n"), old.sign("x\n")])
    assert len(note.signatures) == 2
    for keys in ([old.vkey], [new.vkey], [old.vkey, new.vkey]):
        assert set(require_signed(note, keys)) == set(keys)


def test_a_cosignature_carries_its_time() -> None:
    log, witness = _signer("log"), Cosigner("witness.example/w1", Ed25519PrivateKey.from_private_bytes(b"\x07" * 32))
    text = "log\n1\nx\n"
    note = Note(text, (log.sign(text), witness.sign(text, 1_679_315_147)))
    assert cosigned_by(parse_note(note.encode()), [parse_vkey(str(witness.vkey))]) == {witness.vkey: 1_679_315_147}
    assert witness.vkey.kind is KeyKind.COSIGNATURE_V1
    assert require_signed(note, [log.vkey, witness.vkey]) == (log.vkey,), "a cosignature is no signature of the log"


def test_a_cosignature_with_another_time_is_refused() -> None:
    witness = Cosigner("w", Ed25519PrivateKey.from_private_bytes(b"\x07" * 32))
    signed = witness.sign("x\n", 100)
    later = Signature("w", signed.key_id, (101).to_bytes(8, "big") + signed.blob[8:])
    with pytest.raises(NoteError):
        cosigned_by(Note("x\n", (later,)), [witness.vkey])
    assert time_of(b"") is None
    assert time_of(b"\xff" * 72) is None
