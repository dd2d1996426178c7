"""Held events: what waits in ``events.held`` until consent may be known, readable only with the keys of its subject.

Rules: the event is AES-256-GCM ciphertext, under a key made of the subject's own salt where it has one (erasure takes
the salt, and with it the event), else under a key of the day of receipt; the subject key and everything in the clear
are authenticated with it. Pure: the nonce is a keyed function of position and plaintext, so a batch done again writes
the same record. An event that cannot be sealed (too large) is not held: it is denied as it would be without holding.
Not handled here: when records are due (``streaming.transport``), what is decided then (``tamis.release``).
"""

import re
from base64 import b64decode
from collections.abc import Callable
from enum import Enum

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tamis.domain.event import Event
from tamis.domain.keyed import hex_token, hmac, mac
from tamis.domain.quarantine import NONCE_BYTES, day_of, seal

MAX_HELD_BYTES = 512 * 1024
"""Of an event as it is sealed: its record stays below the brokers' default limit of 1 MiB."""
_SUBJECT, _DAY = "subject/", "held/day/"
_DAY_LABEL = re.compile(r"held/day/[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MAX_CIPHERS = 8
_encode = msgspec.json.Encoder().encode
_decode_event = msgspec.json.Decoder(Event).decode


class HeldEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A record of ``events.held`` and ``events.held.last``; its key is the subject key.

    Attributes:
        partition, offset, index: position in ``events.raw``.
        received_at, occurred_at: of the event, ms.
        log: origin of the audit log that has the event's first leaf; seq: its index there.
        leaf: hash of that leaf (RFC 6962), base64.
        rule: the rule of the event's session where a session was looked at, else "".
        key_id: "subject/<16 hexadecimal characters>", which tell one key from another, or "held/day/<yyyy-mm-dd>".
        sealed: base64 of nonce || AES-256-GCM ciphertext || tag over the event.
    """

    partition: int
    offset: int
    index: int
    received_at: int
    occurred_at: int
    log: str
    seq: int
    leaf: str
    rule: str = ""
    key_id: str = ""
    sealed: str = ""
    v: int = 1


class Unreadable(Enum):
    """Why a held event cannot be read."""

    KEY_GONE = "key_gone"
    """Its subject was erased, or the record made at first sight expired."""
    DAMAGED = "damaged"
    """It does not authenticate, or holds no event: it was not written by tamis, or changed since."""


def encode_event(event: Event) -> bytes | None:
    """The event as it is sealed; None when it cannot be held: too large, too deep, not plain text."""
    try:
        plaintext = _encode(msgspec.structs.replace(event, content=None))
    except (UnicodeEncodeError, RecursionError):
        return None
    return plaintext if len(plaintext) <= MAX_HELD_BYTES else None


class HeldKeys:
    """Seals and opens held events.

    Args:
        derive: label -> 32 bytes; labels "held/subject", "held/nonce" and "held/day/<yyyy-mm-dd>".
    """

    __slots__ = ("_ciphers", "_derive", "_name", "_nonce", "_root")

    def __init__(self, derive: Callable[[str], bytes]) -> None:
        self._derive = derive
        self._root = derive("held/subject")
        self._nonce = mac(derive("held/nonce"))
        self._name = hex_token(self._root, b"tamis/held/key-id/v1\0")
        self._ciphers: dict[str, AESGCM] = {}

    def seal(self, plaintext: bytes, entry: HeldEvent, subject: str, salt: bytes) -> bytes:
        """The value of the record.

        Args:
            plaintext: see ``encode_event``.
            entry: its facts; ``key_id`` and ``sealed`` are filled in here.
            subject: subject key.
            salt: of its record, empty when there is none.
        """
        key = self._subject_key(subject, salt) if salt else b""
        key_id = self._key_id(key) if key else _DAY + day_of(entry.received_at)
        entry = msgspec.structs.replace(entry, key_id=key_id)
        cipher, bound = AESGCM(key) if key else self._day_cipher(key_id), _bound(entry, subject)
        nonce = self._nonce(bound + b"\0" + plaintext)[:NONCE_BYTES]
        return _encode(msgspec.structs.replace(entry, sealed=seal(cipher, nonce, bound, plaintext)))

    def open(self, entry: HeldEvent, subject: str, salt: bytes) -> Event | Unreadable:
        """The event.

        Args:
            entry: as in the record.
            subject: subject key, from the record's key.
            salt: of its record now, empty when there is none.
        """
        if _DAY_LABEL.fullmatch(entry.key_id):
            cipher = self._day_cipher(entry.key_id)
        else:
            key = self._subject_key(subject, salt) if salt else b""
            if not key or entry.key_id != self._key_id(key):
                return Unreadable.KEY_GONE
            cipher = AESGCM(key)
        try:
            raw = b64decode(entry.sealed, validate=True)
            return _decode_event(cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], _bound(entry, subject)))
        except (InvalidTag, ValueError, msgspec.DecodeError, RecursionError):
            return Unreadable.DAMAGED

    def _key_id(self, key: bytes) -> str:
        return _SUBJECT + self._name(key)[:16]

    def _subject_key(self, subject: str, salt: bytes) -> bytes:
        return hmac(self._root, b"tamis/held/subject/v1\0" + salt + subject.encode())

    def _day_cipher(self, label: str) -> AESGCM:
        cipher = self._ciphers.get(label)
        if cipher is None:
            if len(self._ciphers) >= _MAX_CIPHERS:
                self._ciphers.clear()
            cipher = self._ciphers[label] = AESGCM(self._derive(label))
        return cipher


def _bound(entry: HeldEvent, subject: str) -> bytes:
    return subject.encode() + b"\0" + _encode(msgspec.structs.replace(entry, sealed=""))
