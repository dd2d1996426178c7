"""Proofs to carry away: index, inclusion proof and signed checkpoint in one text (c2sp.org/tlog-proof, version 1).

Rules: the extra line is carried but never trusted; the checkpoint stands verbatim behind the first empty line. Whether
the proof holds is asked with ``verify``, which needs the leaf's bytes and the keys one trusts.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable

import msgspec

from tamis.domain.audit.checkpoint import MAX_SIZE, Checkpoint, open_checkpoint
from tamis.domain.audit.merkle import HASH_BYTES, leaf_hash
from tamis.domain.audit.note import MAX_NOTE_BYTES, NoteError, VerifierKey
from tamis.domain.audit.proof import inclusion_holds

HEADER = "c2sp.org/tlog-proof@v1"
MAX_HASHES = 63
_INDEX = re.compile("index (0|[1-9][0-9]{0,18})")


class TlogProof(msgspec.Struct, frozen=True):
    """One leaf's proof.

    Attributes:
        index: of the leaf.
        hashes: inclusion proof, leaf's sibling first.
        checkpoint: the signed note, as text.
        extra: opaque bytes of the application, None without.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None

    def __str__(self) -> str:
        lines = [HEADER]
        if self.extra is not None:
            lines.append(f"extra {b64encode(self.extra).decode()}")
        lines += [f"index {self.index}", *(b64encode(each).decode() for each in self.hashes), "", self.checkpoint]
        return "\n".join(lines)

    def verify(self, entry: bytes, keys: Iterable[VerifierKey]) -> Checkpoint:
        """The checkpoint under which ``entry`` is leaf ``index`` of its log.

        Args:
            entry: the leaf's bytes as stored.
            keys: trusted keys of the log.

        Raises:
            NoteError: the checkpoint is not signed by any of them, or the proof does not lead to its root.
        """
        checkpoint, _ = open_checkpoint(self.checkpoint, keys)
        if not inclusion_holds(self.hashes, self.index, checkpoint.size, leaf_hash(entry), checkpoint.root):
            raise NoteError(f"the proof does not lead from this entry at index {self.index} to the checkpoint's root")
        return checkpoint


def parse_tlog_proof(value: bytes | str) -> TlogProof:
    """A proof, nothing verified.

    Raises:
        NoteError: it is not one.
    """
    if len(value) > MAX_NOTE_BYTES:
        raise NoteError("a proof of more than a million bytes")
    try:
        text = value.decode() if isinstance(value, bytes) else value
    except UnicodeDecodeError:
        raise NoteError("a proof that is not UTF-8") from None
    head, _, checkpoint = text.partition("\n\n")
    header, *lines = head.split("\n")
    if header != HEADER or not checkpoint:
        raise NoteError(f"not a proof: it must begin with {HEADER} and end with a checkpoint")
    extra = _decoded(lines.pop(0).removeprefix("extra ")) if lines and lines[0].startswith("extra ") else None
    found = _INDEX.fullmatch(lines[0]) if lines else None
    if found is None or int(found[1]) > MAX_SIZE:
        raise NoteError("a proof without an index")
    hashes = tuple(map(_decoded, lines[1:]))
    if len(hashes) > MAX_HASHES or any(len(each) != HASH_BYTES for each in hashes):
        raise NoteError("a proof with hashes that are none")
    return TlogProof(int(found[1]), hashes, checkpoint, extra)


def _decoded(text: str) -> bytes:
    try:
        raw = b64decode(text, validate=True)
    except (Base64Error, ValueError):
        raise NoteError("a line of the proof is not base64") from None
    if b64encode(raw).decode() != text:
        raise NoteError("a line of the proof is not canonical base64")
    return raw
