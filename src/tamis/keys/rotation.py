"""A new epoch of pseudonyms: a new root at the end of the key document.

Rules: roots are added and never removed here, since withdrawals must reach what destinations hold under old epochs, and
leaves name theirs. In an ordinary rotation the epoch before accompanies the new one for the overlap. After an incident
(keys may be known to somebody) every older root is revoked at once: nothing is exported under it any more, no overlap
ties old and new pseudonyms together, and event ids and proof ids change as well. Of ids that are numbers the next one
is taken.
"""

import base64
import fcntl
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tamis.keys.file import read_private, replace_private
from tamis.keys.ring import FORMAT, ROOT_BYTES, KeyDocument, KeyRing, RootEntry, parse_keys
from tamis.settings import SetupError

DAY_MS = 86_400_000


def rotated(roots: Sequence[RootEntry], fresh: bytes, *, now_ms: int, overlap_ms: int) -> tuple[RootEntry, ...]:
    """The roots with a new one at the end.

    Args:
        roots: as they are, at least one.
        fresh: material of the new root, 32 random bytes.
        now_ms: time of the rotation.
        overlap_ms: how long the epoch before accompanies the new one; 0: not at all.
    """
    *older, last = (_ended(root, now_ms) for root in roots)
    last = msgspec.structs.replace(last, overlap_until=now_ms + overlap_ms if overlap_ms else 0)
    return (*older, last, _entry(roots, fresh, now_ms))


def after_incident(roots: Sequence[RootEntry], fresh: bytes, *, now_ms: int) -> tuple[RootEntry, ...]:
    """The roots, all revoked, with a new one at the end."""
    revoked = [
        msgspec.structs.replace(root, overlap_until=0, revoked_at=root.revoked_at or now_ms)
        for root in roots
    ]  # fmt: skip
    return (*revoked, _entry(roots, fresh, now_ms))


def _ended(root: RootEntry, now_ms: int) -> RootEntry:
    return msgspec.structs.replace(root, overlap_until=min(root.overlap_until, now_ms))


def _entry(roots: Sequence[RootEntry], fresh: bytes, now_ms: int) -> RootEntry:
    numbers = [int(root.epoch) for root in roots if root.epoch.isdecimal()]
    epoch = str(max(numbers, default=len(roots)) + 1)
    return RootEntry(epoch=epoch, created_at=now_ms, root=base64.b64encode(fresh).decode())


def rotate_key_file(path: Path, *, now_ms: int, overlap_ms: int, incident: bool) -> KeyRing:
    """Adds an epoch to a key file, which is replaced at once; two rotations at the same time follow one another.

    Raises:
        SetupError: the file is missing, open to others, holds no usable keys, or cannot be written.
    """
    try:
        lock = os.open(path, os.O_RDONLY)
    except OSError:
        lock = None  # reading says what is wrong
    try:
        if lock is not None:
            _hold(lock, path)
        text = read_private(path, f"no key file; make one with: tamis keys init --file {path}")
        parse_keys(text, str(path))
        roots = msgspec.json.decode(text, type=KeyDocument).roots
        fresh = secrets.token_bytes(ROOT_BYTES)
        if incident:
            roots = after_incident(roots, fresh, now_ms=now_ms)
        else:
            roots = rotated(roots, fresh, now_ms=now_ms, overlap_ms=overlap_ms)
        text = msgspec.json.format(msgspec.json.encode(KeyDocument(format=FORMAT, roots=roots)), indent=2) + b"\n"
        ring = parse_keys(text, str(path))
        replace_private(path, text)
        return ring
    finally:
        if lock is not None:
            os.close(lock)


def _hold(lock: int, path: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        same = os.path.samestat(os.fstat(lock), path.stat())
    except OSError:
        same = False
    if not same:
        raise SetupError(f"{path}: somebody else is changing the keys; look with: tamis keys list")
