"""Sealing keys: one Ed25519 key a year, in a file of the sealer's own; overlapping ones sign together.

Rules: the file is read as strictly as the root keys' and replaced whole; a key signs from ``not_before`` until
``not_after``; rotating shortens the old one to the overlap, revoking ends it at once; nothing is ever removed, since
what it signed must stay verifiable.
"""

import base64
import os
import secrets
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tamis.domain.audit.note import KeyKind, Note, NoteSigner, VerifierKey
from tamis.keys.file import read_private
from tamis.settings import SetupError

FORMAT = "tamis-sealer-keys/v1"
YEAR_MS = 366 * 86_400_000
OVERLAP_MS = 30 * 86_400_000
_SEED_BYTES = 32


class SealingEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One key of the file; times in ms, ``seed`` base64.

    Attributes:
        epoch: its name: the year, with a letter behind where there is more than one.
        revoked_at: 0 while it is trusted.
    """

    epoch: str
    not_before: int
    not_after: int
    seed: str
    revoked_at: int = 0

    @property
    def key(self) -> Ed25519PrivateKey:
        """The key itself."""
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(self.seed))

    @property
    def public(self) -> bytes:
        """Its public half."""
        return self.key.public_key().public_bytes_raw()

    def __repr__(self) -> str:
        return f"SealingEntry({self.epoch})"


class _Document(msgspec.Struct, frozen=True, kw_only=True):
    format: str
    keys: tuple[SealingEntry, ...]


class SealingKeys:
    """The keys of a file, in the order they were made."""

    __slots__ = ("entries",)

    def __init__(self, entries: tuple[SealingEntry, ...]) -> None:
        self.entries = entries

    def active(self, now_ms: int) -> tuple[SealingEntry, ...]:
        """The keys that sign now.

        Raises:
            SetupError: none does.
        """
        found = tuple(k for k in self.entries if not k.revoked_at and k.not_before <= now_ms < k.not_after)
        if not found:
            raise SetupError("no sealing key is valid now; make one with: tamis keys sealer rotate")
        return found

    def seal(self, origin: str, text: str, now_ms: int) -> Note:
        """A checkpoint's text signed by every active key under the log's name."""
        return Note(text, tuple(NoteSigner(origin, each.key).sign(text) for each in self.active(now_ms)))

    def vkeys(self, name: str) -> tuple[VerifierKey, ...]:
        """All keys that are not revoked, under a name."""
        return tuple(VerifierKey(name, KeyKind.ED25519, k.public) for k in self.entries if not k.revoked_at)

    def rotated(self, year: str, now_ms: int, overlap_ms: int = OVERLAP_MS) -> "SealingKeys":
        """With a new key, valid a year from now; those before end after the overlap."""
        names = {key.epoch for key in self.entries}
        epoch = next(name for name in (year, *(f"{year}{c}" for c in "bcdefghijklmnop")) if name not in names)
        ending = now_ms + overlap_ms
        kept = tuple(msgspec.structs.replace(k, not_after=min(k.not_after, ending)) for k in self.entries)
        return SealingKeys((*kept, new_entry(epoch, now_ms)))

    def revoked(self, epoch: str, now_ms: int) -> "SealingKeys":
        """With one key revoked.

        Raises:
            SetupError: there is no such key.
        """
        if epoch not in {key.epoch for key in self.entries}:
            raise SetupError(f"there is no sealing key {epoch!r}")
        return SealingKeys(
            tuple(
                msgspec.structs.replace(key, revoked_at=key.revoked_at or now_ms) if key.epoch == epoch else key
                for key in self.entries
            )
        )


def new_entry(epoch: str, now_ms: int) -> SealingEntry:
    """A random key."""
    seed = base64.b64encode(secrets.token_bytes(_SEED_BYTES)).decode()
    return SealingEntry(epoch=epoch, not_before=now_ms, not_after=now_ms + YEAR_MS, seed=seed)


def read_sealing_keys(path: Path) -> SealingKeys:
    """The keys in a file.

    Raises:
        SetupError: it is missing, open to others, or holds no usable keys.
    """
    text = read_private(path, "no sealing keys; make them with: tamis keys sealer init")
    try:
        document = msgspec.json.decode(text, type=_Document)
        usable = all(len(base64.b64decode(key.seed, validate=True)) == _SEED_BYTES for key in document.keys)
    except (msgspec.DecodeError, ValueError):
        usable = False
    if not usable or document.format != FORMAT or not document.keys:
        raise SetupError(f"{path}: not a document of sealing keys ({FORMAT})")
    return SealingKeys(document.keys)


def write_sealing_keys(path: Path, keys: SealingKeys, *, new: bool = False) -> None:
    """Put the keys into a file, mode 0600, at once.

    Raises:
        SetupError: ``new`` and the file exists, or it cannot be written.
    """
    document = _Document(format=FORMAT, keys=keys.entries)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        if new:
            os.link(draft, path)
        else:
            draft.replace(path)
    except FileExistsError:
        raise SetupError(f"{path}: exists already; rotate keys instead: tamis keys sealer rotate") from None
    except OSError as error:
        raise SetupError(f"{path}: {error.strerror}") from None
    finally:
        draft.unlink(missing_ok=True)
