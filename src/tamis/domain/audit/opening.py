"""What opens the commitment of one leaf: with it whoever holds the event's record can see that the leaf is about it.

Rules: the commitment is HMAC-SHA256, 32 hexadecimal characters, under a key that follows from the person's own salt,
over the record's value, or, for one event of several in a record, over SHA-256 of the value and the event's index (4
bytes, big endian). The key opens all commitments to events of the same person, so an opening is handed out with the
same care as the events; when the salt is destroyed there are no openings any more. Pure.
"""

from hashlib import sha256

import msgspec

from tamis.domain.pseudonym import commitment, committed_part

VERSION = 1
_KEY_HEX = 64


class OpeningError(ValueError):
    """Bytes that are no opening."""


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """One opening.

    Attributes:
        cm: the commitment, as in the leaf.
        key: of the commitment, 64 hexadecimal characters.
        index: of the event within its record.
        alone: it is the record's only event, and the commitment is over the record's value itself.
        v: version of the format.
    """

    cm: str
    key: str
    index: int
    alone: bool
    v: int = VERSION

    def opens(self, record: bytes) -> bool:
        """Whether ``record`` is the one the leaf commits to."""
        return commitment(bytes.fromhex(self.key), committed_of(record, self.index, alone=self.alone)) == self.cm


def committed_of(record: bytes, index: int, *, alone: bool) -> bytes:
    """What is committed to for event ``index`` of a record."""
    return record if alone else committed_part(sha256(record).digest(), index)


def encode_opening(opening: Opening) -> bytes:
    """As a file of evidence."""
    return msgspec.json.encode(opening) + b"\n"


def decode_opening(value: bytes) -> Opening:
    """The opening in a file.

    Raises:
        OpeningError: it is none.
    """
    try:
        found = msgspec.json.decode(value, type=Opening)
        usable = len(bytes.fromhex(found.key)) * 2 == len(found.key) == _KEY_HEX
    except (msgspec.DecodeError, ValueError, RecursionError):
        usable = False
    if not usable or found.v != VERSION or not 0 <= found.index < 1 << 32:
        raise OpeningError("not an opening of a commitment")
    return found
