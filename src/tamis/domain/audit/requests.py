"""What other parts ask to be put into ``audit.control`` (``audit.requests``): a closed vocabulary, signed.

Rules: ids, times and words of closed sets, never free text and never a subject's id; each request is signed with the
installation's enrolment key, which follows from the root key, so whoever can only write to the topic cannot enrol a
worker key or open an epoch; a worker key also signs for itself. The sealer alone decides what becomes a leaf
(``control``). Replays are harmless: a request that changes nothing is not sequenced twice.
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable
from enum import StrEnum

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tamis.domain.audit.attestation import worker_key_id
from tamis.domain.audit.note import ed25519_holds
from tamis.domain.audit.notices import EpochReason

MAX_REQUEST_BYTES = 4_096
ENROLMENT_LABEL = "audit/enrolment"
Sign = Callable[[bytes], bytes]


class LookReason(StrEnum):
    """Why somebody opened quarantined originals."""

    DEBUG = "debug"
    DATA_SUBJECT = "data-subject"
    REPLAY = "replay"
    AUDIT = "audit"


class _Request(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", forbid_unknown_fields=True):
    """Any request; ``at`` is ms of the asking part's clock."""

    at: int


class WorkerKey(_Request, frozen=True, kw_only=True, tag="worker-key"):
    """A worker's key, valid ``[not_before, not_after)`` in ms; ``proof`` is its own signature of the rest."""

    id: str
    key: str
    not_after: int
    not_before: int
    proof: str


class WorkerKeyRevoked(_Request, frozen=True, kw_only=True, tag="worker-key-revoked"):
    """Heads signed by this key and not sealed yet no longer count."""

    id: str


class EpochOpened(_Request, frozen=True, kw_only=True, tag="epoch"):
    """A log goes on in epoch ``epoch``."""

    epoch: int
    log: str
    partition: int
    reason: EpochReason


class QuarantineLook(_Request, frozen=True, kw_only=True, tag="quarantine-look"):
    """Originals were opened: how many, where, why, and by whom as a keyed digest of the account."""

    by: str
    count: int
    first: int
    partition: int
    reason: LookReason


class ErasureReceipt(_Request, frozen=True, kw_only=True, tag="erasure"):
    """A subject's salt was destroyed; ``request`` is the privacy request's own random id, never a subject's."""

    request: str
    records: int


class PolicyBundle(_Request, frozen=True, kw_only=True, tag="bundle"):
    """A bundle became active."""

    hash: str


Request = WorkerKey | WorkerKeyRevoked | EpochOpened | QuarantineLook | ErasureReceipt | PolicyBundle
_TEXTS = ("id", "hash", "log", "by", "request")
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-")
_MAX_TEXT = 128


class RequestError(ValueError):
    """Not a request that may be sequenced; the message holds nothing of its content."""


class _Signed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    request: msgspec.Raw
    sig: str


_encode = msgspec.json.Encoder(order="sorted").encode
_decode_signed = msgspec.json.Decoder(_Signed).decode
_decode_request = msgspec.json.Decoder(Request).decode  # of a union: typed by the annotation where it is called


def enrolment_key(seed: bytes) -> Ed25519PrivateKey:
    """The key that signs requests, from ``KeyProvider.derive(ENROLMENT_LABEL)``."""
    return Ed25519PrivateKey.from_private_bytes(seed)


def encode_request(request: Request, sign: Sign) -> bytes:
    """A record value for ``audit.requests``, signed with the enrolment key."""
    body = _encode(request)
    return _encode({"request": msgspec.Raw(body), "sig": b64encode(sign(_message(body))).decode()})


def decode_request(value: bytes, enrolment: bytes) -> Request:
    """The request in a record value.

    Args:
        value: of the record.
        enrolment: public key, 32 bytes.

    Raises:
        RequestError: malformed, outside the vocabulary, or not signed with the enrolment key.
    """
    if len(value) > MAX_REQUEST_BYTES or not value.isascii():
        raise RequestError("a request that is too large or not ASCII")
    try:
        signed = _decode_signed(value)
        request: Request = _decode_request(signed.request)
        signature = b64decode(signed.sig, validate=True)
    except (msgspec.DecodeError, Base64Error, ValueError, RecursionError):
        raise RequestError("a request outside the vocabulary") from None
    if not ed25519_holds(enrolment, signature, _message(bytes(signed.request))):
        raise RequestError("a request that is not signed with the enrolment key")
    for name in _TEXTS:
        text = getattr(request, name, "x")
        if not 0 < len(text) <= _MAX_TEXT or not _PLAIN.issuperset(text):
            raise RequestError(f"a request whose {name} is no plain id")
    if isinstance(request, WorkerKey):
        _check_proof(request)
    return request


def worker_key_proof(id_: str, key: str, not_before: int, not_after: int) -> bytes:
    """What a worker key signs to show that it is held."""
    return f"audit-worker-key/v1\n{id_}\n{key}\n{not_before}\n{not_after}\n".encode()


def _check_proof(request: WorkerKey) -> None:
    try:
        public, proof = b64decode(request.key, validate=True), b64decode(request.proof, validate=True)
    except (Base64Error, ValueError):
        raise RequestError("a worker key that is not base64") from None
    message = worker_key_proof(request.id, request.key, request.not_before, request.not_after)
    if worker_key_id(public) != request.id or not ed25519_holds(public, proof, message):
        raise RequestError("a worker key that did not sign for itself")


def _message(body: bytes) -> bytes:
    return b"audit-request/v1\n" + body + b"\n"
