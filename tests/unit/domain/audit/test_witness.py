"""What a witness's answer means, status by status."""

from __future__ import annotations

import pytest

from tamis.domain.audit.cosignature import Cosigner
from tamis.domain.audit.witness import (
    Answer,
    Behind,
    Conflict,
    Cosigned,
    Reply,
    Request,
    Split,
    Trouble,
    Unavailable,
    read_answer,
)  # fmt: skip
from tests.support.sealed import SealedLog, numbered, private_key

LOG = SealedLog(numbered(9))
WITNESS = Cosigner("witness.example/w1", private_key("w1"))
OTHER = Cosigner("witness.example/w2", private_key("w2"))


def _request(old: int, size: int = 9) -> Request:
    return Request(old, size, tuple(LOG.prove(old, size)), LOG.note(size))


def _answer(request: Request, status: int, body: bytes | str = b"", kind: str = "", after: str = "") -> Answer:
    body = body.encode() if isinstance(body, str) else body
    return read_answer(request, Reply(status, body, kind, after), WITNESS.vkey)


def test_the_request_is_old_size_proof_and_checkpoint() -> None:
    lines = _request(3).encode().decode().split("\n")
    assert lines[0] == "old 3"
    assert lines.index("") == 1 + len(LOG.prove(3, 9))
    assert "\n".join(lines[lines.index("") + 1 :]) == str(LOG.note(9))
    assert _request(0).encode().startswith(b"old 0\n\n" + LOG.origin.encode())


def test_only_its_own_cosignature_counts() -> None:
    request, text = _request(3), LOG.note(9).text
    own, foreign = str(WITNESS.sign(text, 7)), str(OTHER.sign(text, 8))
    assert _answer(request, 200, foreign + own) == Cosigned(WITNESS.sign(text, 7), 7)
    nothing = Unavailable(Trouble.NO_COSIGNATURE)
    assert _answer(request, 200, foreign) == nothing
    assert _answer(request, 200, str(WITNESS.sign(LOG.note(8).text, 7))) == nothing
    for body in (b"", own[:-1], "garbage\n", b"\xff\n", own + "\n"):
        assert _answer(request, 200, body) == nothing


@pytest.mark.parametrize(
    ("old", "body", "meaning"),
    [
        (3, "5\n", Behind(5)),
        (3, "0\n", Behind(0)),
        (0, "9\n", Behind(9)),
        (3, "10\n", Conflict(Split.ROLLBACK, 10)),
        (9, "10\n", Conflict(Split.ROLLBACK, 10)),
        (9, "9\n", Conflict(Split.FORK, 9)),
        (3, "3\n", Unavailable(Trouble.REFUSED)),
        (3, "05\n", Unavailable(Trouble.REFUSED)),
        (3, "5", Unavailable(Trouble.REFUSED)),
        (3, "-1\n", Unavailable(Trouble.REFUSED)),
    ],
)
def test_409_says_what_the_witness_knows(old: int, body: str, meaning: Answer) -> None:
    assert _answer(_request(old), 409, body, "text/x.tlog.size") == meaning


def test_409_without_a_size_is_a_fork_only_at_equal_sizes() -> None:
    assert _answer(_request(9), 409, "5\n", "text/plain") == Conflict(Split.FORK, 9)
    assert _answer(_request(3), 409) == Unavailable(Trouble.REFUSED)


def test_422_is_a_fork_when_there_was_something_to_prove() -> None:
    assert _answer(_request(3), 422) == Conflict(Split.FORK, 3)
    assert _answer(_request(9), 422) == Conflict(Split.FORK, 9)
    assert _answer(_request(0), 422) == Unavailable(Trouble.REFUSED)


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        (400, Trouble.REFUSED), (403, Trouble.UNKNOWN_KEY), (404, Trouble.UNKNOWN_LOG), (418, Trouble.REFUSED),
        (451, Trouble.REFUSED), (499, Trouble.REFUSED), (500, Trouble.SERVER), (503, Trouble.SERVER),
        (301, Trouble.SERVER), (204, Trouble.SERVER), (999, Trouble.SERVER),
    ],
)  # fmt: skip
def test_all_else_is_asked_again(status: int, trouble: Trouble) -> None:
    assert _answer(_request(3), status, "9\n", "text/x.tlog.size") == Unavailable(trouble)


def test_a_busy_witness_may_say_how_long() -> None:
    assert _answer(_request(3), 429, after="30") == Unavailable(Trouble.BUSY, 30)
    assert _answer(_request(3), 429, after="Wed, 21 Oct") == Unavailable(Trouble.BUSY)
