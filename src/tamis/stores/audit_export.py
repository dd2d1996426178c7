"""An audit log as a folder: ``manifest.json`` and one text file a partition, ``<partition>.log``, in the log's order.

Rules: a line is ``L <leaf>`` or ``H <head>`` with the record value's bytes exactly as stored. The product writes no
value with a line break; one that holds one (so somebody else's) is kept too, base64 under ``l`` or ``h``. The manifest
comes last, by rename, so a folder without one is an export that did not finish. Not signed: the manifest tells of files
cut short or mixed up by accident, what it cannot tell stands in docs/audit.md.
"""

import hashlib
import os
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec

from tamis.settings import SetupError
from tamis.stores.bounded_file import lines_bounded, read_bounded

MANIFEST = "manifest.json"
EXPORT_VERSION = 1


class ExportedFile(msgspec.Struct, kw_only=True):
    """What the manifest says of one partition's file.

    Attributes:
        records: lines.
        leaves: of these, leaves.
        sha256: of the file, hex.
    """

    records: int = 0
    leaves: int = 0
    sha256: str = ""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """``manifest.json``.

    Attributes:
        topic: the audit topic, with its prefix.
        logs: partition -> its file.
        v: version of the format.
    """

    topic: str
    logs: dict[int, ExportedFile]
    v: int = EXPORT_VERSION


def log_path(folder: Path, partition: int) -> Path:
    """The file of one partition."""
    return folder / f"{partition}.log"


class AuditExportWriter:
    """Writes an export record by record; the manifest is written by ``close``.

    Args:
        folder: made when missing; must not hold an export yet.
        topic: name of the audit topic.

    Raises:
        SetupError: the folder holds an export.
    """

    def __init__(self, folder: Path, topic: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / MANIFEST).exists() or any(folder.glob("*.log")):
            raise SetupError(f"{folder} already holds an export of an audit log")
        self._folder, self._topic = folder, topic
        self._open: dict[int, tuple[BinaryIO, ExportedFile, hashlib._Hash]] = {}

    def write(self, partition: int, is_head: bool, value: bytes) -> None:
        """Append one record of one partition, in the order of its log."""
        if partition not in self._open:
            fresh = log_path(self._folder, partition).open("wb")
            self._open[partition] = fresh, ExportedFile(), hashlib.sha256()
        file, entry, digest = self._open[partition]
        kind = b"H " if is_head else b"L "
        line = (kind.lower() + b64encode(value) if b"\n" in value else kind + value) + b"\n"
        file.write(line)
        digest.update(line)
        entry.records += 1
        entry.leaves += not is_head

    def flush(self) -> None:
        """Hand what is buffered to the operating system."""
        for file, _, _ in self._open.values():
            file.flush()

    def close(self) -> Manifest:
        """Finish: files to disk, then the manifest."""
        logs: dict[int, ExportedFile] = {}
        for partition, (file, entry, digest) in sorted(self._open.items()):
            file.flush()
            os.fsync(file.fileno())
            file.close()
            entry.sha256 = digest.hexdigest()
            logs[partition] = entry
        manifest = Manifest(topic=self._topic, logs=logs)
        part = self._folder / f"{MANIFEST}.part"
        part.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
        part.replace(self._folder / MANIFEST)
        return manifest

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
            return
        for file, _, _ in self._open.values():
            file.close()


class ExportedLog:
    """The records of one partition's file; after the last one ``agrees`` says whether the manifest told the truth.

    Args:
        folder: of the export.
        partition: whose file.
        entry: what the manifest says of it.
    """

    def __init__(self, folder: Path, partition: int, entry: ExportedFile) -> None:
        self.partition, self.entry = partition, entry
        self._path = log_path(folder, partition)
        self._digest = hashlib.sha256()

    def __iter__(self) -> Iterator[tuple[bool, bytes]]:
        update = self._digest.update
        with self._path.open("rb") as file:
            for line in lines_bounded(file):
                update(line)
                yield _record(line)

    @property
    def agrees(self) -> bool:
        """The file read is the file the manifest speaks of."""
        return self._digest.hexdigest() == self.entry.sha256


def read_export(folder: Path) -> tuple[Manifest, list[ExportedLog]]:
    """The manifest and the logs of an export, by partition.

    Raises:
        SetupError: there is no finished export of a known version, or a file of it is missing.
    """
    try:
        manifest = msgspec.json.decode(read_bounded(folder / MANIFEST), type=Manifest)
    except FileNotFoundError:
        raise SetupError(f"{folder} holds no finished export of an audit log: {MANIFEST} is missing") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SetupError(f"{folder / MANIFEST} cannot be read: {error}") from None
    if manifest.v != EXPORT_VERSION:
        raise SetupError(f"{folder / MANIFEST} has version {manifest.v}, known is {EXPORT_VERSION}")
    missing = [p for p in manifest.logs if not log_path(folder, p).is_file()]
    if missing:
        raise SetupError(f"{log_path(folder, missing[0])} is missing")
    return manifest, [ExportedLog(folder, partition, entry) for partition, entry in sorted(manifest.logs.items())]


def _record(line: bytes) -> tuple[bool, bytes]:
    """A line as (is it a head, value); a line nobody wrote becomes a value that no check accepts."""
    kind, value = line[:2], line[2:].removesuffix(b"\n")
    if kind in {b"l ", b"h "}:
        try:
            return kind == b"h ", b64decode(value, validate=True)
        except Base64Error:
            return False, line
    return (kind == b"H ", value) if kind in {b"L ", b"H "} else (False, line)
