"""Root keys and what is derived from them.

Rules: 32 random bytes a root; each epoch of pseudonyms has a root of its own. Event ids and proof ids come from the
first root that is not revoked, so they are equal over an ordinary rotation and new after an incident; everything else
comes from the first root and survives rotation. HKDF-SHA256 with the label as info, so no two labels share a key.
Placeholder keys are refused. No repr, error or list shows material. Rotation is done in ``rotation``.

Source: RFC 5869.
"""

import base64
import binascii
import itertools
from collections.abc import Sequence
from typing import NoReturn

import msgspec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tamis.domain.epochs import Epochs
from tamis.settings import SetupError

ROOT_BYTES = 32
FORMAT = "tamis-keys-1"
_SALT = b"tamis/keys/v1"
_ID_LABEL = "key-id"
_ID_CHARS = 8
_FEWEST_DISTINCT = 12  # 32 random bytes have fewer distinct values once in 10^14
_PSEUDONYM = "pseudonym/"
_EXPORTED_IDS = ("event/", "proof/")


class RootEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One root as it is stored.

    Attributes:
        epoch: letters and digits.
        created_at: ms.
        root: base64.
        overlap_until: until when (ms) its pseudonyms accompany those of the next epoch; 0: not at all.
        revoked_at: since when (ms) nothing is exported under it; 0: it is not revoked.
    """

    epoch: str
    created_at: int
    root: str
    overlap_until: int = 0
    revoked_at: int = 0

    def __repr__(self) -> str:
        return f"RootEntry(epoch={self.epoch!r})"


class KeyDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The key file: the last root's epoch is the current one."""

    format: str
    roots: tuple[RootEntry, ...]


class RootKey:
    """One root in memory."""

    __slots__ = ("_material", "created_at", "epoch", "id", "overlap_until", "revoked_at")

    def __init__(
        self, material: bytes, *, epoch: str, created_at: int, overlap_until: int = 0, revoked_at: int = 0
    ) -> None:
        self._material = material
        self.epoch = epoch
        self.created_at = created_at
        self.overlap_until = overlap_until
        self.revoked_at = revoked_at
        self.id = self.derive(_ID_LABEL).hex()[:_ID_CHARS]

    def derive(self, label: str) -> bytes:
        """32 bytes for ``label``."""
        return HKDF(algorithm=SHA256(), length=ROOT_BYTES, salt=_SALT, info=label.encode()).derive(self._material)

    def __repr__(self) -> str:
        return f"RootKey(id={self.id!r}, epoch={self.epoch!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not written anywhere")


class KeyRing:
    """The roots of this installation, oldest first; a ``ports.KeyProvider``."""

    def __init__(self, roots: Sequence[RootKey]) -> None:
        self.roots = tuple(roots)
        self._by_epoch = {root.epoch: root for root in roots}

    def derive(self, label: str) -> bytes:
        """32 bytes for ``label``.

        "pseudonym/<domain>/<epoch>" comes from that epoch's root, "event/..." and "proof/..." from the first root that
        is not revoked, all else from the first.

        Raises:
            SetupError: the label names an epoch without a root.
        """
        if label.startswith(_EXPORTED_IDS):
            return next(root for root in self.roots if not root.revoked_at).derive(label)
        if not label.startswith(_PSEUDONYM):
            return self.roots[0].derive(label)
        epoch = label.rpartition("/")[2]
        root = self._by_epoch.get(epoch)
        if root is None:
            raise SetupError(f"there is no key for epoch {epoch}")
        return root.derive(label)

    def derive_all(self, label: str) -> list[bytes]:
        """Keys that ``derive`` may ever have given for "event/..." and "proof/...", the one in use first."""
        in_use = self.derive(label)
        others = [root.derive(label) for root in reversed(self.roots)]
        return [in_use, *(key for key in others if key != in_use)]

    def epochs(self) -> Epochs:
        """Current epoch, the one that overlaps it, and all that are held."""
        current, *older = reversed(self.roots)
        before = older[0] if older and not older[0].revoked_at else None
        return Epochs(
            current.epoch,
            before.epoch if before is not None and before.overlap_until else "",
            before.overlap_until if before is not None else 0,
            tuple(root.epoch for root in older),
        )

    def state(self, root: RootKey, now_ms: int) -> str:
        """What a root of this ring is good for: "current", "overlapping", "retired" or "revoked".

        Pseudonyms of a retired or revoked epoch are named in retractions and nowhere else.
        """
        if root is self.roots[-1]:
            return "current"
        if root.revoked_at:
            return "revoked"
        return "overlapping" if root is self.roots[-2] and now_ms < root.overlap_until else "retired"

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(root.id for root in self.roots)})"


def parse_keys(text: bytes, where: str, *, insecure_dev: bool = False) -> KeyRing:
    """Keys from the text of a key file.

    Args:
        text: JSON of a ``KeyDocument``.
        where: named in errors.
        insecure_dev: let placeholder keys pass.

    Raises:
        SetupError: the document or one of its keys is unusable; material is never in the message.
    """
    try:
        document = msgspec.json.decode(text, type=KeyDocument)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise SetupError(f"{where}: not a key document ({FORMAT}); make one with: tamis keys init") from None
    if document.format != FORMAT:
        raise SetupError(f"{where}: unknown format, expected {FORMAT}")
    epochs = [entry.epoch for entry in document.roots]
    if not epochs or len(set(epochs)) < len(epochs):
        raise SetupError(f"{where}: there must be at least one root, and one for each epoch")
    if document.roots[-1].revoked_at:
        raise SetupError(f"{where}: the last root is revoked; make a new one with: tamis keys rotate --incident")
    return KeyRing([_root(entry, where, insecure_dev=insecure_dev) for entry in document.roots])


def _root(entry: RootEntry, where: str, *, insecure_dev: bool) -> RootKey:
    place = f"{where}: root of epoch {entry.epoch!r}"
    if not entry.epoch.isascii() or not entry.epoch.isalnum():
        raise SetupError(f"{place}: an epoch is letters and digits")
    try:
        material = base64.b64decode(entry.root, validate=True)
    except (binascii.Error, ValueError):
        raise SetupError(f"{place}: not base64") from None
    if len(material) != ROOT_BYTES:
        raise SetupError(f"{place}: a root has {ROOT_BYTES} bytes")
    why = placeholder_reason(material)
    if why and not insecure_dev:
        raise SetupError(f"{place}: a placeholder ({why}); make a real one with: tamis keys init")
    return RootKey(
        material,
        epoch=entry.epoch,
        created_at=entry.created_at,
        overlap_until=entry.overlap_until,
        revoked_at=entry.revoked_at,
    )


def placeholder_reason(material: bytes) -> str | None:
    """Why ``material`` cannot have come from a random source, or None. One good key in 10^13 would be refused."""
    if len(set(material)) < _FEWEST_DISTINCT:
        return "repeated bytes"
    if len({(after - before) % 256 for before, after in itertools.pairwise(material)}) == 1:
        return "counting bytes"
    half = ROOT_BYTES // 2
    if material[:half] == material[half:]:
        return "repeated bytes"
    if all(0x20 <= byte < 0x7F for byte in material):  # noqa: PLR2004  # printable ASCII
        return "text"
    return None
