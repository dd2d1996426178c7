"""Values of the topic ``rules``: signed bundles, pointers to the active one and to a candidate, reports of workers.

Rules: keys are ``<bundle hash>``, ``active``, ``shadow`` and ``worker/<worker>``; bundles and pointers are signed over
the exact bytes of ``body``, reports are not (nothing follows from them); ids and configuration only, nothing of an
event. A pointer names the topic it is for and counts up, so that neither a record of another installation nor an old
pointer written again can move it. A later version of a body adds fields; unknown ones are ignored.
Not handled here: who may sign (``bundles.published``).
"""

from collections.abc import Callable

import msgspec

ACTIVE = "active"
SHADOW = "shadow"
WORKER = "worker/"


class BundleBody(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle as it was published.

    Attributes:
        hash: what leaves call it; follows from ``source``.
        source: its canonical source.
        files: the configuration files it was made of, so that problems can be told by line and people can read it;
            empty when only the source is known.
        at: when it was published, ms.
    """

    hash: str
    source: str
    files: dict[str, str]
    at: int


class PointerBody(msgspec.Struct, frozen=True, kw_only=True):
    """Which bundle is active, or which is the candidate.

    Attributes:
        role: ``ACTIVE`` or ``SHADOW``.
        hash: of the bundle; "" takes a candidate away.
        seq: one more than the pointer before; the highest one of a role holds.
        topic: full name of the topic it is for.
        at: when it was moved, ms.
        previous: hash it pointed to before, "" at first.
    """

    role: str
    hash: str
    seq: int
    topic: str
    at: int
    previous: str = ""


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """A body with its signature.

    Attributes:
        key: public key of the signer.
        sig: signature of ``body``.
        body: exact bytes of a ``BundleBody`` or ``PointerBody``.
        v: schema version.
    """

    key: str
    sig: str
    body: msgspec.Raw
    v: int = 1


class WorkerReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one worker runs.

    Attributes:
        worker: host and process.
        version: of the package.
        roles: joined by "+".
        bundle: hash in use, "" while none is.
        seq: of the pointer that was followed, 0 under ``rules.source = folder``.
        at: when this was written, ms.
        candidate: hash judged beside it, "" for none.
        refused: why a later pointer was not followed, one line a problem.
        ended: the worker stopped as asked.
    """

    worker: str
    version: str
    roles: str
    bundle: str
    seq: int
    at: int
    candidate: str = ""
    refused: tuple[str, ...] = ()
    ended: bool = False
    v: int = 1


def encode_signed(body: BundleBody | PointerBody, key: str, sign: Callable[[bytes], str]) -> bytes:
    """The value of a signed record."""
    raw = msgspec.json.encode(body)
    return msgspec.json.encode(Signed(key=key, sig=sign(raw), body=msgspec.Raw(raw)))


def decode_signed(value: bytes) -> Signed | None:
    """The envelope, None when it is none; the signature is not checked here."""
    try:
        found = msgspec.json.decode(value, type=Signed)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return found if found.v == 1 else None


def decode_report(value: bytes) -> WorkerReport | None:
    """A worker's report, None when it is none."""
    try:
        return msgspec.json.decode(value, type=WorkerReport)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
