"""Sealed logs of any size, any leaf, any checkpoint: the carried proof holds, and fails with any byte changed."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.domain.audit.anchor import AnchorChain, StampedText, next_anchor
from tamis.domain.audit.cosignature import cosigned_by
from tamis.domain.audit.note import NoteError, parse_note
from tamis.domain.audit.proof import inclusion_proof
from tamis.domain.audit.tlog_proof import TlogProof, parse_tlog_proof
from tamis.domain.audit.witness import Request
from tests.support.sealed import SealedLog, numbered
from tests.support.sealed_prod import WITNESSES

MOST = 600
LOG = SealedLog(numbered(MOST))
KEYS = [LOG.signer.vkey]
WITNESS_KEYS = [each.vkey for each in WITNESSES]


def _proof(index: int, size: int) -> bytes:
    note = LOG.note(size, cosigners=WITNESSES)
    return str(TlogProof(index, tuple(inclusion_proof(LOG.node, index, size)), str(note))).encode()


def _holds(text: bytes, leaf: bytes) -> bool:
    try:
        proof = parse_tlog_proof(text)
        proof.verify(leaf, KEYS)
        return len(cosigned_by(parse_note(proof.checkpoint), WITNESS_KEYS)) == 2
    except NoteError:
        return False


@given(st.integers(1, MOST), st.data())
@settings(max_examples=150)
def test_a_carried_proof_holds_and_not_with_a_byte_changed(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    text, leaf = _proof(index, size), LOG.leaves[index]
    assert _holds(text, leaf)
    for value, other in ((text, leaf), (leaf, text)):
        at, bit = data.draw(st.integers(0, len(value) - 1)), data.draw(st.integers(0, 7))
        changed = value[:at] + bytes([value[at] ^ (1 << bit)]) + value[at + 1 :]
        assert not (_holds(changed, other) if value is text else _holds(other, changed))
    assert not _holds(text, LOG.leaves[(index + 1) % MOST])


@given(st.lists(st.integers(0, MOST), min_size=2, max_size=6).map(sorted))
@settings(max_examples=50)
def test_growing_logs_are_witnessed_and_anchored_in_order(sizes: list[int]) -> None:
    chain, before = AnchorChain(), None
    for old, new in zip([0, *sizes], sizes, strict=False):
        body = Request(old, new, tuple(LOG.prove(old, new)), LOG.note(new)).encode()
        assert body.startswith(f"old {old}\n".encode())
        assert body.count(b"\n\n") == 2
        text = next_anchor(before, [LOG.note(new)]).encode()
        before = StampedText(text, b"stamp %d" % new)
        assert chain.follow(before).checkpoints()[0].size == new
