"""Pseudonyms and keyed ids, so that two destinations share no value.

Rules: an exported pseudonym is ``v1.<domain>.<epoch>.<22 characters>``: HMAC-SHA256 keyed per destination and epoch
over the subject's own random salt and subject key, cut to 16 bytes; without a salt there is none. Event ids are HMACs
keyed per destination. A proof id is the source position enciphered under a per-destination AES-128 key: one block per
position (a permutation of distinct inputs, so plain ECB leaks nothing), which the key holder turns back into it.
Not handled here: where keys come from (``ports.KeyProvider``) and salts are made (the fold agent).
"""

import struct
from binascii import a2b_base64, b2a_base64
from collections.abc import Sequence
from hashlib import sha256

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


class Pseudonymiser:
    """Gives a subject's pseudonym in one domain and epoch.

    Args:
        domain: destination id, or "audit".
        epoch: key epoch.
        key: 32 bytes, for this domain and epoch only.
    """

    __slots__ = ("_token", "prefix")

    def __init__(self, domain: str, epoch: str, key: bytes) -> None:
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


class ProofIds:
    """Source positions as opaque ids for one destination.

    Args:
        key: 32 bytes; the first 16 are the AES-128 key.
    """

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = Cipher(AES(key[:16]), ECB())  # noqa: S305 - one block per distinct position, see module docstring

    def encipher(self, partition: int, offsets: Sequence[int], index: int = 0) -> bytes:
        """One 16-byte block per offset, in order: a whole batch in one call."""
        pack = _POSITION.pack
        plain = b"".join([pack(EVENTS_RAW_LOG, partition, offset, index) for offset in offsets])
        return self._cipher.encryptor().update(plain)

    def position(self, proof_id: str) -> tuple[int, int, int]:
        """``(partition, offset, index)`` of a proof id.

        Raises:
            ValueError: not a proof id of this destination.
        """
        try:
            block = a2b_base64(proof_id.encode().translate(_STANDARD) + b"==")
            log, partition, offset, index = _POSITION.unpack(self._cipher.decryptor().update(block))
        except (ValueError, struct.error) as error:
            raise ValueError("not a proof id") from error
        if log != EVENTS_RAW_LOG:
            raise ValueError("not a proof id of this destination")
        return partition, offset, index


def text_of(block: bytes) -> str:
    """22 base64url characters of a 16-byte block."""
    return b2a_base64(block, newline=False).translate(_URLSAFE)[:_TOKEN_CHARS].decode()


def commitment_key(salt: bytes) -> bytes:
    """Key of one subject's commitments: it follows from the salt, so they open only while the salt exists."""
    return hmac(salt, b"tamis/commitment/v1")


def commitment(key: bytes, committed: bytes) -> str:
    """Commitment to an event's bytes: 32 hexadecimal characters of an HMAC under the subject's commitment key."""
    return hmac(key, committed).hex()[:_COMMITMENT_CHARS]


def committed_bytes(value: bytes, events: int, index: int) -> bytes:
    """What the commitment of one event is over: the record's value, or its SHA-256 and the index when it holds several.

    Args:
        value: the raw record.
        events: how many events it holds.
        index: which one, from 0.
    """
    return value if events == 1 else sha256(value).digest() + index.to_bytes(4, "big")
