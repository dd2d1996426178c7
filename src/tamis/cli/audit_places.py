"""Where commands find sealed logs, keys and certificates."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tamis.cli.session import Session
from tamis.settings import SetupError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from tamis.domain.audit.note import VerifierKey
    from tamis.domain.audit.opening import Opening
    from tamis.domain.audit.policy import WitnessPolicy
    from tamis.stores.sealed_folder import SealedFolder


def sealed_folder(session: Session, folder: Path | None) -> "SealedFolder":
    """The folder named, else the sealer's.

    Raises:
        SetupError: it holds no sealed log.
    """
    from tamis.stores.sealed_folder import SealedFolder

    return SealedFolder(folder if folder is not None else Path(session.settings.sealer_path()))


def configured_rules(folder: Path | None) -> dict[str, bytes]:
    """Hash and canonical text of the rules in a configuration folder; empty when none is named.

    Raises:
        SetupError: the folder makes no bundle.
    """
    from tamis.bundles.load import load_bundle

    if folder is None:
        return {}
    bundle = load_bundle(folder)
    if isinstance(bundle, list):
        raise SetupError(f"{folder} cannot be used, see: tamis check {folder}")
    return {bundle.hash: bundle.source}


@contextmanager
def openings(
    session: Session, originals: tuple[Path, ...], *, wanted: bool
) -> "Iterator[Callable[[bytes], Opening | None]]":
    """What opens commitments, under this host's keys and replica; opens nothing unless it is wanted.

    Raises:
        SetupError: there are no keys, or no replica.
    """
    if not wanted:
        yield lambda _leaf: None
        return
    from tamis.domain.identity import SubjectKeys
    from tamis.keys.provider import open_keys
    from tamis.services.opening import Openings, given_records, kept_records
    from tamis.stores.consent_view import LmdbConsentView
    from tamis.streaming.parts import event_decoder

    settings = session.settings
    keys, view = open_keys(settings), LmdbConsentView(Path(settings.replica_path()))
    records = given_records(path.read_bytes() for path in originals) if originals else kept_records(settings)
    try:
        if not view.caught_up():
            raise SetupError(f"{settings.replica_path()} holds no consent replica that has caught up (tamis replica)")
        yield Openings(SubjectKeys(keys.derive("subject")), view, event_decoder(settings, keys), records).of
    finally:
        view.close()


def log_keys(texts: tuple[str, ...]) -> "tuple[VerifierKey, ...]":
    """Keys of logs, each a vkey or the name of a file with vkeys, one a line.

    Raises:
        click.UsageError: one is neither.
    """
    from tamis.domain.audit.trust import parse_log_key

    return tuple(_key(text, parse_log_key) for text in _texts(texts))


def witness_policy(texts: tuple[str, ...], quorum: int | None, file: Path | None) -> "WitnessPolicy | None":
    """The witnesses to ask for: of a policy file, or so many (default: all) of these keys.

    Raises:
        click.UsageError: keys or policy cannot be used.
    """
    from tamis.domain.audit.policy import PolicyError, PolicyWitness, parse_policy, threshold
    from tamis.domain.audit.trust import parse_witness_key

    keys = [_key(text, parse_witness_key) for text in _texts(texts)]
    if file is not None and (keys or quorum is not None):
        raise click.UsageError("give either --policy, or --witness-vkey with --quorum")
    try:
        if file is not None:
            return parse_policy(file.read_text(encoding="utf-8", errors="surrogateescape"))
        witnesses = [PolicyWitness(str(number), key) for number, key in enumerate(keys)]
        return threshold(witnesses, len(keys) if quorum is None else quorum) if keys else None
    except PolicyError as error:
        raise click.UsageError(f"{file or 'witnesses'}: {error}") from None


def authorities(files: tuple[Path, ...]) -> "tuple[Certificate, ...]":
    """Certificates of timestamp authorities in PEM files.

    Raises:
        click.UsageError: a file holds none.
    """
    from tamis.domain.audit.timestamp import TimestampError, trusted_certificates

    try:
        return tuple(certificate for file in files for certificate in trusted_certificates(file.read_bytes()))
    except TimestampError as error:
        raise click.UsageError(f"--tsa: {error}") from None


def _texts(texts: tuple[str, ...]) -> list[str]:
    """Each text, or the lines of the file it names."""
    lines = [Path(text).read_text().splitlines() if Path(text).is_file() else [text] for text in texts]
    return [line.strip() for each in lines for line in each if line.strip() and not line.startswith("#")]


def _key(text: str, parse: Callable[[str], "VerifierKey"]) -> "VerifierKey":
    from tamis.domain.audit.note import NoteError

    try:
        return parse(text)
    except NoteError as error:
        raise click.UsageError(str(error)) from None
