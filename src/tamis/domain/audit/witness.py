"""What a log says to a witness and what the answer means (c2sp.org/tlog-witness).

Rules: a request is the old size, a consistency proof from it and the signed checkpoint; only a cosignature that
verifies under the witness's own key counts. A witness that knows a larger tree than the log's newest, or another tree
of the same size, or refuses a proof that holds against our own roots, has seen another history of this log: that is a
fault of ours until the opposite is shown. Everything else is asked again later.
Not here: the network and when to ask again.
"""

import re
from base64 import b64encode
from enum import StrEnum
from http import HTTPStatus

import msgspec

from tamis.domain.audit.cosignature import cosigned_by
from tamis.domain.audit.note import Note, NoteError, Signature, VerifierKey, parse_signature

SIZE_TYPE = "text/x.tlog.size"
MAX_ANSWER_BYTES = 65_536
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,18})\n")


class Request(msgspec.Struct, frozen=True):
    """One ``add-checkpoint`` call.

    Attributes:
        old: size the witness is believed to know.
        size: of the checkpoint.
        proof: consistency proof between them.
        note: the checkpoint as the log signed it.
    """

    old: int
    size: int
    proof: tuple[bytes, ...]
    note: Note

    def encode(self) -> bytes:
        """The body."""
        hashes = "".join(f"{b64encode(each).decode()}\n" for each in self.proof)
        return f"old {self.old}\n{hashes}\n{self.note}".encode()


class Cosigned(msgspec.Struct, frozen=True):
    """The witness's cosignature, which verified, and its POSIX time."""

    signature: Signature
    time_s: int


class Behind(msgspec.Struct, frozen=True):
    """The witness knows the log up to ``size``: ask again with a proof from there."""

    size: int


class Split(StrEnum):
    """What shows that the witness has seen another history of the log than the one we hold."""

    ROLLBACK = "rollback"
    """It cosigned a larger tree than our newest."""
    FORK = "fork"
    """It cosigned another tree of a size we have."""


class Conflict(msgspec.Struct, frozen=True):
    """The witness has seen another history.

    Attributes:
        split: how that shows.
        known: size it knows.
    """

    split: Split
    known: int


class Trouble(StrEnum):
    """Why a witness did not answer with a cosignature, though nothing is wrong with the log."""

    UNREACHABLE = "unreachable"
    BUSY = "busy"
    """429."""
    UNKNOWN_LOG = "unknown_log"
    """404: the witness was never told of this log."""
    UNKNOWN_KEY = "unknown_key"
    """403: it does not trust the key, or (older witnesses) does not know the log."""
    REFUSED = "refused"
    """Any other status of 400 to 499."""
    SERVER = "server"
    """500 and above, and statuses that the protocol does not have."""
    NO_COSIGNATURE = "no_cosignature"
    """200 without a cosignature that verifies under the configured key."""


class Unavailable(msgspec.Struct, frozen=True):
    """To be asked again later; ``wait_s`` is how long the witness asked to wait, None when it did not say."""

    trouble: Trouble
    wait_s: int | None = None


Answer = Cosigned | Behind | Conflict | Unavailable


class Reply(msgspec.Struct, frozen=True):
    """An HTTP response.

    Attributes:
        status: code.
        body: at most ``MAX_ANSWER_BYTES``.
        content_type: without parameters.
        retry_after: the header's text, "" without.
    """

    status: int
    body: bytes
    content_type: str = ""
    retry_after: str = ""


def read_answer(request: Request, reply: Reply, key: VerifierKey) -> Answer:
    """What a witness's answer means.

    Args:
        request: what was asked; its proof must hold against the log's own roots.
        reply: the response.
        key: the witness's.
    """
    status = reply.status
    if status == HTTPStatus.OK:
        return _cosigned(request.note, reply.body, key)
    if status == HTTPStatus.CONFLICT:
        return _conflict(request, reply)
    if status == HTTPStatus.UNPROCESSABLE_ENTITY:
        return Conflict(Split.FORK, request.old) if request.old else Unavailable(Trouble.REFUSED)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        wait = int(reply.retry_after) if re.fullmatch("[0-9]{1,5}", reply.retry_after) else None
        return Unavailable(Trouble.BUSY, wait)
    known: dict[int, Trouble] = {HTTPStatus.NOT_FOUND: Trouble.UNKNOWN_LOG, HTTPStatus.FORBIDDEN: Trouble.UNKNOWN_KEY}
    client_fault = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    return Unavailable(known.get(status, Trouble.REFUSED) if client_fault else Trouble.SERVER)


def _cosigned(note: Note, body: bytes, key: VerifierKey) -> Answer:
    try:
        signatures = _signatures(body)
        found = cosigned_by(Note(note.text, signatures), [key])
    except (NoteError, UnicodeDecodeError):
        return Unavailable(Trouble.NO_COSIGNATURE)
    if key not in found:
        return Unavailable(Trouble.NO_COSIGNATURE)
    own = next(each for each in signatures if (each.name, each.key_id) == (key.name, key.id))
    return Cosigned(own, found[key])


def _signatures(body: bytes) -> tuple[Signature, ...]:
    text = body.decode()
    if not text.endswith("\n"):
        raise NoteError("not signature lines")
    return tuple(parse_signature(line) for line in text[:-1].split("\n"))


def _conflict(request: Request, reply: Reply) -> Answer:
    found = _SIZE.fullmatch(reply.body) if reply.content_type == SIZE_TYPE else None
    if found is None:
        same = request.old == request.size and request.old > 0
        return Conflict(Split.FORK, request.old) if same else Unavailable(Trouble.REFUSED)
    known = int(found[1])
    if known > request.size:
        return Conflict(Split.ROLLBACK, known)
    if known != request.old:
        return Behind(known)
    return Conflict(Split.FORK, known) if known == request.size else Unavailable(Trouble.REFUSED)
