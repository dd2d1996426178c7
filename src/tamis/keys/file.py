"""The key file: made once, readable by its owner alone, never overwritten.

Rules: a file that others than its owner may read is refused, as is one that belongs to somebody else; the exception
is what a platform mounts for us (systemd credentials, Kubernetes secrets with fsGroup): root's, readable by a group.
``create_key_file`` puts the whole file in place at once with mode 0600, and not over an existing one.
"""

import base64
import contextlib
import os
import secrets
import stat
from pathlib import Path

import msgspec

from tamis.keys.ring import FORMAT, ROOT_BYTES, KeyDocument, KeyRing, RootEntry, parse_keys
from tamis.settings import SetupError

FIRST_EPOCH = "1"
_ROOT_USER = 0
_NOT_OWNER = stat.S_IRWXG | stat.S_IRWXO


def read_key_file(path: Path, *, insecure_dev: bool = False) -> KeyRing:
    """The keys in ``path``.

    Raises:
        SetupError: the file is missing, open to others, or holds no usable keys.
    """
    text = read_private(path, f"no key file; make one with: tamis keys init --file {path}")
    return parse_keys(text, str(path), insecure_dev=insecure_dev)


def read_private(path: Path, missing: str) -> bytes:
    """The content of a file that only this user may read.

    Args:
        path: the file.
        missing: what to say when there is none.

    Raises:
        SetupError: it is missing, cannot be read, or is open to others.
    """
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            text = file.read()
    except FileNotFoundError:
        raise SetupError(f"{path}: {missing}") from None
    except OSError as error:
        raise SetupError(f"{path}: {error.strerror}") from None
    if why := objection(status.st_mode, owner=status.st_uid, user=os.geteuid()):
        raise SetupError(f"{path}: {why}")
    return text


def objection(mode: int, *, owner: int, user: int) -> str | None:
    """Why a file with these rights must not hold keys, or None.

    Args:
        mode: permission bits.
        owner: user id the file belongs to.
        user: user id of this process.
    """
    if owner not in {user, _ROOT_USER}:
        return "the key file belongs to another user"
    mounted_for_us = owner == _ROOT_USER != user
    too_much = mode & _NOT_OWNER & ~(stat.S_IRGRP if mounted_for_us else 0)
    return "others may read or change the keys; run: chmod 600 on it" if too_much else None


def create_key_file(path: Path, *, now_ms: int) -> KeyRing:
    """A new key file with one random root.

    Args:
        path: must not exist; missing folders are made with mode 0700.
        now_ms: stored as the time of making.

    Raises:
        SetupError: it exists already or cannot be written.
    """
    root = base64.b64encode(secrets.token_bytes(ROOT_BYTES)).decode()
    document = KeyDocument(format=FORMAT, roots=(RootEntry(epoch=FIRST_EPOCH, created_at=now_ms, root=root),))
    text = msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _place(path, text)
    except FileExistsError:
        raise SetupError(f"{path}: exists already; keys are never overwritten") from None
    except OSError as error:
        raise SetupError(f"{path}: {error.strerror}") from None
    return read_key_file(path)


def replace_private(path: Path, text: bytes) -> None:
    """Puts a text in the place of a private file, at once and with mode 0600.

    Raises:
        SetupError: it cannot be written.
    """
    try:
        _place(path, text, over=True)
    except OSError as error:
        raise SetupError(f"{path}: {error.strerror}") from None


def _place(path: Path, text: bytes, *, over: bool = False) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if over:
            draft.replace(path)
        else:
            os.link(draft, path)  # fails where a rename would overwrite
    finally:
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()
