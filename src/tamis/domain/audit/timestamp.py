"""RFC 3161 timestamps: what is asked of an authority, and whether its answer proves that a text existed at a time.

Rules: the message is SHA-256 of the text; the request carries a nonce and asks for the authority's certificate; an
answer counts only when it was granted, is signed by a certificate for timestamping that leads to a trusted one valid at
the stamped time, and is over this very text. Not here: the network, revocation lists, and renewing a timestamp before
its algorithm ages out (RFC 4998).
"""

import datetime as dt
import re
from collections.abc import Sequence

import msgspec
from cryptography.x509 import Certificate, load_pem_x509_certificates
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)
from rfc3161_client.tsp import PKIStatus, TimeStampResponse

REQUEST_TYPE = "application/timestamp-query"
RESPONSE_TYPE = "application/timestamp-reply"
_SIGNED_DATA_VERSION = 3  # RFC 5652, 5.1: of content that is a TSTInfo
_SIGNER_VERSION = 1  # RFC 5652, 5.3: of a signer named by issuer and serial number
_VERIFY_ERROR = re.compile('Verify error: ([^"]+)"')
SKEW_MS = 300_000
"""How far the clocks of brokers and authorities may differ."""
SHA256_OID = "2.16.840.1.101.3.4.2.1"


class TimestampError(ValueError):
    """An answer that proves nothing; the message says why."""


class StampRequest(msgspec.Struct, frozen=True):
    """A request and what the answer must repeat.

    Attributes:
        body: DER, to be sent as ``REQUEST_TYPE``.
        nonce: random number in it.
    """

    body: bytes
    nonce: int


def stamp_request(text: bytes) -> StampRequest:
    """Asks for a timestamp of ``text``."""
    request = TimestampRequestBuilder(data=text, hash_algorithm=HashAlgorithm.SHA256, nonce=True, cert_req=True).build()
    assert request.nonce is not None
    return StampRequest(request.as_bytes(), request.nonce)


def trusted_certificates(pem: bytes) -> tuple[Certificate, ...]:
    """The certificates in a PEM file: the authority's root, and those in between if the authority does not send them.

    Raises:
        TimestampError: there is none.
    """
    try:
        return tuple(load_pem_x509_certificates(pem))
    except ValueError:
        raise TimestampError("no certificate in PEM form") from None


def stamped_at(answer: bytes, text: bytes, trusted: Sequence[Certificate], nonce: int | None = None) -> dt.datetime:
    """The time at which ``text`` existed, as the authority says.

    Args:
        answer: DER of the authority's response.
        text: what it must be over.
        trusted: certificates the authority's own must lead to.
        nonce: of the request, when the answer is fresh.

    Raises:
        TimestampError: the answer proves nothing about this text.
    """
    response = _decoded(answer)
    verifier = VerifierBuilder(roots=list(trusted), nonce=nonce).build()
    try:
        signed = response.signed_data
        versions = [signed.version, *(signer.version for signer in signed.signer_infos)]
        if versions != [_SIGNED_DATA_VERSION, _SIGNER_VERSION]:
            raise TimestampError("the timestamp is no signed data of a known version")
        if response.tst_info.message_imprint.hash_algorithm.dotted_string != SHA256_OID:
            raise TimestampError("the timestamp is over another digest than SHA-256")
        verifier.verify_message(response, text)
        time = response.tst_info.gen_time
    except VerificationError as error:
        raise TimestampError(f"the timestamp does not verify: {_cause(error)}") from None
    except ValueError as error:
        raise error if isinstance(error, TimestampError) else TimestampError("the timestamp is damaged") from None
    return time if time.tzinfo else time.replace(tzinfo=dt.UTC)


class _Received(msgspec.Struct):
    ts: int = 0


_received = msgspec.json.Decoder(_Received).decode


def ahead_of(leaf: bytes, stamped: dt.datetime) -> bool:
    """Whether a leaf says that its event was received after its tree was stamped, which cannot be.

    Raises:
        ValueError: it is no leaf.
    """
    return _received(leaf).ts > round(stamped.timestamp() * 1000) + SKEW_MS


def _cause(error: VerificationError) -> str:
    """The library's message; of a whole stack of OpenSSL errors only what the verification said."""
    text = str(error)
    found = _VERIFY_ERROR.search(text)
    return found[1] if found else text.partition(": ErrorStack")[0]


def _decoded(answer: bytes) -> TimeStampResponse:
    try:
        response = decode_timestamp_response(answer)
        status = PKIStatus(response.status)
    except ValueError:
        raise TimestampError("not a timestamp response") from None
    if status is not PKIStatus.GRANTED:
        raise TimestampError(f"the authority did not grant the timestamp: {status.name.lower()}")
    return response
