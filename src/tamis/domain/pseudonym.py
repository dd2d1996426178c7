"""Pseudonyms and keyed ids, so that two destinations share no value.

Rules: an exported pseudonym is ``v1.<domain>.<epoch>.<22 characters>``: HMAC-SHA256 keyed per destination and epoch
over the subject's own random salt and subject key, cut to 16 bytes; without a salt there is none. An event id is keyed
twice: one HMAC over the producer's id gives the event's tag (``eid`` of its leaf), and the tag is enciphered under a
per-destination AES-128 key. A keyed permutation of a pseudorandom value is as hard to guess as the value: whoever holds
ids of two destinations, or ids and leaves, cannot match them without a key, and equal events keep equal ids. A proof id
is the source position enciphered the same way. A block is one whole input and equal inputs are meant to look equal, so
plain ECB gives nothing away; the key holder turns both kinds of id back.
Not handled here: where keys come from (``ports.KeyProvider``) and salts are made (the fold agent).
"""

import struct
from binascii import a2b_base64, b2a_base64
from collections.abc import Sequence

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from tamis.domain.keyed import hmac, token

_POSITION = struct.Struct(">HIQH")  # log, partition, offset, index: one AES block
EVENTS_RAW_LOG = 0
_URLSAFE = bytes.maketrans(b"+/", b"-_")
_STANDARD = bytes.maketrans(b"-_", b"+/")
_TOKEN_CHARS = 22
_COMMITMENT_CHARS = 32
TAG_BYTES = 16
_BLOCK_BYTES = 16
_PADDED_BYTES = 18
_PADDED_CHARS = 24


class Pseudonymiser:
    """Gives a subject's pseudonym in one domain and epoch.

    Args:
        domain: destination id, or "audit".
        epoch: key epoch.
        key: 32 bytes, for this domain and epoch only.
        previous: that of the epoch before, named beside this one while the overlap runs.
        overlap_until: until when (ms, time of receipt); 0: no overlap.
    """

    __slots__ = ("_token", "overlap_until", "prefix", "previous")

    def __init__(
        self, domain: str, epoch: str, key: bytes, previous: "Pseudonymiser | None" = None, overlap_until: int = 0
    ) -> None:
        self.previous = previous
        self.overlap_until = overlap_until
        self.prefix = f"v1.{domain}.{epoch}."
        self._token = token(key)

    def pseudonym(self, salt: bytes, subject_key: str) -> str:
        """The pseudonym.

        Raises:
            ValueError: there is no salt, hence no pseudonym.
        """
        if not salt:
            raise ValueError("a subject without a salt has no pseudonym")
        return self.prefix + self._token(salt + subject_key.encode())

    def field(self, salt: bytes, subject_key: str, name: str, value: str) -> str:
        """The pseudonym of an id in a field: of this person's, under this name.

        The input goes on behind what a person's own pseudonym is made of, so the two are never equal.

        Raises:
            ValueError: there is no salt, hence no pseudonym.
        """
        if not salt:
            raise ValueError("a subject without a salt has no pseudonym")
        return self.prefix + self._token(
            b"\0".join((salt + subject_key.encode(), b"field", name.encode(), value.encode()))
        )


class EventIds:
    """Event tags as ids for one destination.

    Args:
        key: 32 bytes; the first 16 are the AES-128 key.
    """

    __slots__ = ("_cipher", "_encrypt")

    def __init__(self, key: bytes) -> None:
        self._cipher = Cipher(AES(key[:16]), ECB())  # noqa: S305 - one block per event tag, see module docstring
        self._encrypt = self._cipher.encryptor().update  # ECB keeps nothing from call to call

    def encipher(self, tags: Sequence[bytes]) -> bytes:
        """One 16-byte block per tag (16 bytes each), in order: a whole batch in one call."""
        return self._encrypt(b"".join(tags))

    def tag(self, event_id: str) -> bytes:
        """The tag of an event id, as in the leaf.

        Raises:
            ValueError: not an event id.
        """
        return self._cipher.decryptor().update(_block(event_id))


class ProofIds:
    """Source positions as opaque ids for one destination.

    Args:
        key: 32 bytes; the first 16 are the AES-128 key.
    """

    __slots__ = ("_cipher", "_encrypt")

    def __init__(self, key: bytes) -> None:
        self._cipher = Cipher(AES(key[:16]), ECB())  # noqa: S305 - one block per distinct position, see module docstring
        self._encrypt = self._cipher.encryptor().update

    def encipher(self, positions: Sequence[bytes]) -> bytes:
        """One 16-byte block per position (see ``position_block``), in order: a whole batch in one call."""
        return self._encrypt(b"".join(positions))

    def position(self, proof_id: str) -> tuple[int, int, int]:
        """``(partition, offset, index)`` of a proof id.

        Raises:
            ValueError: not a proof id of this destination.
        """
        try:
            log, partition, offset, index = _POSITION.unpack(self._cipher.decryptor().update(_block(proof_id)))
        except (ValueError, struct.error) as error:
            raise ValueError("not a proof id") from error
        if log != EVENTS_RAW_LOG:
            raise ValueError("not a proof id of this destination")
        return partition, offset, index


def position_block(partition: int, offset: int, index: int) -> bytes:
    """A source position as 16 bytes."""
    return _POSITION.pack(EVENTS_RAW_LOG, partition, offset, index)


def tokens_of(blocks: bytes) -> list[bytes]:
    """22 base64url characters for each 16-byte block, all converted at once.

    Each block is padded to 18 bytes, so that it takes 24 characters, of which the last two say nothing.
    """
    padded = bytearray(len(blocks) // _BLOCK_BYTES * _PADDED_BYTES)
    for place in range(_BLOCK_BYTES):
        padded[place::_PADDED_BYTES] = blocks[place::_BLOCK_BYTES]
    text = b2a_base64(padded, newline=False).translate(_URLSAFE)
    return [text[start : start + _TOKEN_CHARS] for start in range(0, len(text), _PADDED_CHARS)]


def _block(text: str) -> bytes:
    return a2b_base64(text.encode().translate(_STANDARD) + b"==")


def commitment_key(salt: bytes) -> bytes:
    """Key of one subject's commitments: it follows from the salt, so they open only while the salt exists."""
    return hmac(salt, b"tamis/commitment/v1")


def commitment(key: bytes, committed: bytes) -> str:
    """Commitment to an event's bytes: 32 hexadecimal characters of an HMAC under the subject's commitment key."""
    return hmac(key, committed).hex()[:_COMMITMENT_CHARS]


def committed_part(digest: bytes, index: int) -> bytes:
    """What the commitment of one event of a record with several is over; of a record with one it is the value itself.

    Args:
        digest: SHA-256 of the record's value, made once for all its events.
        index: which event, from 0.
    """
    return digest + index.to_bytes(4, "big")
