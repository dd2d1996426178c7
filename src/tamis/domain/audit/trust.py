"""The keys somebody brings along to judge a log with: which of them speak for which log.

Rules: a key speaks for the log it is named after and, since one key pair may serve all logs of an installation, for
every log below its name (``audit.example.org/prod`` for ``audit.example.org/prod/audit.log/p0/e1``). Keys found beside
a log are never trusted for being there.
"""

from collections.abc import Iterable

from tamis.domain.audit.note import KeyKind, NoteError, VerifierKey, parse_vkey


def log_keys(trusted: Iterable[VerifierKey], origin: str) -> tuple[VerifierKey, ...]:
    """Those of the trusted keys that speak for a log, under its name."""
    return tuple(
        key.renamed(origin)
        for key in trusted
        if key.kind is KeyKind.ED25519 and (origin == key.name or origin.startswith(f"{key.name}/"))
    )


def parse_log_key(text: str) -> VerifierKey:
    """A log's vkey.

    Raises:
        NoteError: it is none.
    """
    return _of_kind(text, KeyKind.ED25519, "a log's key begins with byte 01; is this a witness's?")


def parse_witness_key(text: str) -> VerifierKey:
    """A witness's vkey.

    Raises:
        NoteError: it is none.
    """
    return _of_kind(text, KeyKind.COSIGNATURE_V1, "a witness's key begins with byte 04; is this a log's?")


def _of_kind(text: str, kind: KeyKind, hint: str) -> VerifierKey:
    key = parse_vkey(text)
    if key.kind is not kind:
        raise NoteError(f"vkey {key.name}: {hint}")
    return key
