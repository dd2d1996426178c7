"""Witness cosignatures ``cosignature/v1`` of checkpoints: Ed25519 with a time (c2sp.org/tlog-cosignature).

Rules: the message is two header lines and the whole note text; the signature blob is the time, 8 bytes big endian, and
64 bytes of Ed25519. What a witness states is that this was the largest consistent tree it had seen at that time.
Not here: asking a witness, ML-DSA-44 cosignatures (their lines count as those of an unknown key).
"""

import struct
from collections.abc import Iterable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tamis.domain.audit.note import (
    SIGNATURE_BYTES,
    KeyKind,
    Note,
    Signature,
    VerifierKey,
    ed25519_holds,
    is_key_name,
    signed_by,
)

_TIME = struct.Struct(">Q")
_MAX_TIME = (1 << 63) - 1


def cosigned_message(text: str, time_s: int) -> bytes:
    """What a witness signs for a checkpoint's note text."""
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


def time_of(blob: bytes) -> int | None:
    """The POSIX time in a cosignature's blob, None when it is no such blob."""
    if len(blob) != _TIME.size + SIGNATURE_BYTES:
        return None
    time_s: int = _TIME.unpack_from(blob)[0]
    return time_s if time_s <= _MAX_TIME else None


def verify_cosignature(key: VerifierKey, text: str, blob: bytes) -> bool:
    """Whether ``blob`` is the witness's cosignature of a note text."""
    time_s = time_of(blob)
    return time_s is not None and ed25519_holds(key.public, blob[_TIME.size :], cosigned_message(text, time_s))


def cosigned_by(note: Note, witnesses: Iterable[VerifierKey]) -> dict[VerifierKey, int]:
    """The witnesses that cosigned a note, with the POSIX time of each.

    Raises:
        NoteError: a cosignature of one of them does not verify.
    """
    found = signed_by(note, witnesses, {KeyKind.COSIGNATURE_V1: verify_cosignature})
    blobs = {(signature.name, signature.key_id): signature.blob for signature in reversed(note.signatures)}
    return {key: time_of(blobs[key.name, key.id]) or 0 for key in found}


class Cosigner:
    """Cosigns note texts as a witness does.

    Args:
        name: of the witness.
        key: its private key.
    """

    __slots__ = ("_key", "vkey")

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        if not is_key_name(name):
            raise ValueError("not a key name")
        self._key = key
        self.vkey = VerifierKey(name, KeyKind.COSIGNATURE_V1, key.public_key().public_bytes_raw())

    def sign(self, text: str, time_s: int) -> Signature:
        """The cosignature of a checkpoint's note text at a POSIX time."""
        blob = _TIME.pack(time_s) + self._key.sign(cosigned_message(text, time_s))
        return Signature(self.vkey.name, self.vkey.id, blob)
