"""Checkpoints: origin, size and root of a log as the text of a signed note (c2sp.org/tlog-checkpoint).

Rules: exactly three lines, no extension lines (nobody but the log could check them, and ML-DSA cosignatures do not
cover them); the size is decimal without leading zeros; the root is 32 bytes; the log's key name is its origin.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable

import msgspec

from tamis.domain.audit.merkle import HASH_BYTES
from tamis.domain.audit.note import Note, NoteError, VerifierKey, is_key_name, parse_note, require_signed

MAX_SIZE = (1 << 63) - 1
_SIZE = re.compile("0|[1-9][0-9]{0,18}")


class Checkpoint(msgspec.Struct, frozen=True):
    """The state of a log at one size.

    Attributes:
        origin: names the log.
        size: leaves.
        root: RFC 6962 tree head, 32 bytes.
    """

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        """The note text: three lines, each with its line break."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """The checkpoint in a note's text.

    Raises:
        NoteError: it is not one of exactly three lines.
    """
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:  # noqa: PLR2004 - three lines and what follows the last line break
        raise NoteError("a checkpoint has exactly three lines")
    origin, size, root = lines[:3]
    if not is_key_name(origin):
        raise NoteError("the checkpoint's origin is no key name")
    if not _SIZE.fullmatch(size) or int(size) > MAX_SIZE:
        raise NoteError("the checkpoint's size is no decimal number")
    try:
        digest = b64decode(root, validate=True)
    except (Base64Error, ValueError):
        digest = b""
    if len(digest) != HASH_BYTES or b64encode(digest).decode() != root:
        raise NoteError("the checkpoint's root is not the base64 of 32 bytes")
    return Checkpoint(origin, int(size), digest)


def open_checkpoint(value: bytes | str, keys: Iterable[VerifierKey]) -> tuple[Checkpoint, Note]:
    """A checkpoint that one of the log's keys signed, and the note it came in.

    Args:
        value: the signed note.
        keys: trusted ones; only those whose name is the checkpoint's origin count.

    Raises:
        NoteError: it is not a checkpoint, or no such key signed it.
    """
    note = parse_note(value)
    checkpoint = parse_checkpoint(note.text)
    require_signed(note, [key for key in keys if key.name == checkpoint.origin])
    return checkpoint, note
