"""Quarantine entries: why an input was refused, with the original readable only by whoever holds the day's key.

Rules: pure (no clock, no randomness): equal input gives equal bytes, so a batch done again writes the same record. The
nonce is a keyed function of source position *and* plaintext, so a position that is written anew (topic re-created,
other bytes) never repeats a nonce under one key. Position and key label are authenticated with the ciphertext. The
record key is keyed too, never a plain digest. Of an original above ``MAX_SEALED_BYTES`` only a prefix is kept; of a
record with several refused events the first entry alone keeps it, or a small record would become a huge quarantine. The
record's headers are sealed beside it, for what travelled in an address stands there; more than ``MAX_HEADERS_BYTES`` of
them are not kept.
Not handled here: who may open an entry, and the log of who did.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tamis.domain.keyed import mac, token

MAX_SEALED_BYTES = 256 * 1024
PREFIX_BYTES = 4 * 1024
MAX_HEADERS_BYTES = 16 * 1024
NONCE_BYTES = 12
_KEY_LABEL = "quarantine/"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS = 253_402_300_799_999  # the end of year 9999: a hostile timestamp must not fail the calendar
_encode = msgspec.json.Encoder().encode
_HEADERS = b"\0headers"

Headers = Sequence[tuple[str, bytes | None]]
_decode_headers = msgspec.json.Decoder(tuple[tuple[str, bytes | None], ...]).decode  # values in base64


class Fault(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """One violation of the rule an event falls under.

    Attributes:
        kind: ``domain.violations.ViolationKind``.
        path: where, in names the rule's owner chose; ``[]`` stands for any element of a list.
        severity: "error", "warning" or "info".
    """

    kind: str
    path: str
    severity: str


class Origin(msgspec.Struct, frozen=True, gc=False):
    """Where a refused input comes from, in words of the configuration and of ``domain.producer`` alone.

    Attributes:
        producer: SDK, its version and the app's (``domain.producer``), "-" when nothing tells.
        site: label from the policy, "other", or "-" when nothing tells.
        vendor: envelope that decoded it, "" when none did.
        rule: tagging rule the event falls under, "" when none or unknown.
        faults: what is wrong with it by that rule.
    """

    producer: str = "-"
    site: str = "-"
    vendor: str = ""
    rule: str = ""
    faults: tuple[Fault, ...] = ()


NOWHERE = Origin()


class QuarantineEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Why an input was refused; the original only as AES-256-GCM ciphertext.

    Attributes:
        stage: "decode", "validate", "dedupe", "consent" or "privacy".
        reason: ``domain.outcome.InvalidReason``.
        path: JSON path without sender-chosen keys.
        message: safe text for the producer.
        topic, partition, offset, index: source position.
        received_at: ms.
        size: bytes of the original.
        key_id: label of the key that opens ``sealed``.
        sealed: base64 of nonce || ciphertext || tag; a prefix of the original when ``truncated``; empty when an earlier
            entry of the same record holds it.
        truncated: only the first bytes were kept.
        sealed_headers: the record's headers, in the same form; empty when it had none, they were too large, or an
            earlier entry of the same record holds them.
        producer: SDK and version that made it, and the app's version; "-" when nothing tells.
        site: site it is about, "other" or "-".
        vendor: envelope that decoded it, "" when none did.
        rule: tagging rule it falls under, "" for none.
        violations: everything wrong with it by that rule.
    """

    stage: str
    reason: str
    path: str
    message: str
    topic: str
    partition: int
    offset: int
    index: int
    received_at: int
    size: int
    key_id: str
    sealed: str
    truncated: bool = False
    sealed_headers: str = ""
    producer: str = "-"
    site: str = "-"
    vendor: str = ""
    rule: str = ""
    violations: tuple[Fault, ...] = ()


class QuarantineSealer:
    """Makes the records of ``events.quarantine``.

    Args:
        key_for_day: "yyyy-mm-dd" -> 32 bytes (key label "quarantine/<day>").
        position_key: 32 bytes for record keys and nonces (key label "quarantine/key").
    """

    __slots__ = ("_ciphers", "_key_for_day", "_nonce", "_record_key")

    def __init__(self, key_for_day: Callable[[str], bytes], position_key: bytes) -> None:
        self._key_for_day = key_for_day
        self._record_key = token(position_key, b"tamis/quarantine/key/v1\0")
        self._nonce = mac(position_key, b"tamis/quarantine/nonce/v1\0")
        self._ciphers: dict[str, AESGCM] = {}

    def entry(
        self,
        *,
        stage: str,
        reason: str,
        path: str,
        message: str,
        topic: str,
        partition: int,
        offset: int,
        index: int,
        received_at: int,
        original: bytes,
        headers: Headers = (),
        kept_before: bool = False,
        origin: Origin = NOWHERE,
    ) -> tuple[bytes, bytes]:
        """Key and value of one quarantine record; the texts must hold nothing the sender wrote.

        ``received_at`` (ms) chooses the day's key; ``original`` is what was received; ``kept_before`` says that another
        entry of the record holds it; the rest is as in ``QuarantineEntry``.
        """
        truncated = len(original) > MAX_SEALED_BYTES and not kept_before
        where, day = _position(topic, partition, offset, index), day_of(received_at)
        kept = original[:PREFIX_BYTES] if truncated else original
        sealed = "" if kept_before else self._seal(day, where, kept)
        beside = _encode(headers) if headers and not kept_before else b""
        sealed_headers = self._seal(day, where + _HEADERS, beside) if 0 < len(beside) <= MAX_HEADERS_BYTES else ""
        value = QuarantineEntry(
            stage=stage, reason=reason, path=path, message=message, topic=topic, partition=partition, offset=offset,
            index=index, received_at=received_at, size=len(original), key_id=_KEY_LABEL + day, sealed=sealed,
            truncated=truncated, sealed_headers=sealed_headers, producer=origin.producer, site=origin.site,
            vendor=origin.vendor, rule=origin.rule, violations=origin.faults,
        )  # fmt: skip
        return self._record_key(where).encode(), _encode(value)

    def _seal(self, day: str, where: bytes, plaintext: bytes) -> str:
        nonce = self._nonce(where + b"\0" + plaintext)[:NONCE_BYTES]
        return seal(self._cipher(day), nonce, _bound(where, _KEY_LABEL + day), plaintext)

    def _cipher(self, day: str) -> AESGCM:
        cipher = self._ciphers.get(day)
        if cipher is None:
            if len(self._ciphers) > 7:  # noqa: PLR2004 - a week of days; replays may visit many
                self._ciphers.clear()
            cipher = self._ciphers[day] = AESGCM(self._key_for_day(day))
        return cipher


def seal(cipher: AESGCM, nonce: bytes, bound: bytes, plaintext: bytes) -> str:
    """Base64 of nonce || AES-256-GCM ciphertext || tag (NIST SP 800-38D), with ``bound`` authenticated beside it."""
    return b64encode(nonce + cipher.encrypt(nonce, plaintext, bound)).decode()


def open_entry(entry: QuarantineEntry, key: bytes) -> bytes | None:
    """The original (or its prefix, when truncated); None when the key is wrong or the entry was altered.

    Args:
        entry: as decoded from ``events.quarantine``.
        key: the 32 bytes named by ``entry.key_id``.
    """
    where = _position(entry.topic, entry.partition, entry.offset, entry.index)
    return _open(entry.sealed, where, entry.key_id, key)


def open_headers(entry: QuarantineEntry, key: bytes) -> Headers | None:
    """The record's headers, as far as they were kept; None when the key is wrong or the entry was altered."""
    if not entry.sealed_headers:
        return ()
    where = _position(entry.topic, entry.partition, entry.offset, entry.index) + _HEADERS
    opened = _open(entry.sealed_headers, where, entry.key_id, key)
    return None if opened is None else _decode_headers(opened)


def _open(sealed: str, where: bytes, key_id: str, key: bytes) -> bytes | None:
    try:
        raw = b64decode(sealed, validate=True)
        return AESGCM(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], _bound(where, key_id))
    except (InvalidTag, ValueError):
        return None


def day_of(timestamp: int) -> str:
    """UTC calendar day "yyyy-mm-dd" of a time in ms; times outside the calendar go to its nearest end."""
    moment = _EPOCH + timedelta(milliseconds=min(max(timestamp, 0), _LAST_MS))
    return moment.date().isoformat()


def _position(topic: str, partition: int, offset: int, index: int) -> bytes:
    return f"{topic}\0{partition}\0{offset}\0{index}".encode()


def _bound(where: bytes, key_id: str) -> bytes:
    return key_id.encode() + b"\0" + where
