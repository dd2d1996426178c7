"""Evidence as one zip file, the same bytes for the same evidence.

Rules: written beside its place and renamed, never over a file that is there; read within limits on the number and size
of files (a zip can claim to be huge, and be small); names are compared with the manifest and never become paths.
"""

import os
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from tamis.domain.audit.evidence import MANIFEST, MAX_ITEMS, README, Evidence, EvidenceError, read_evidence
from tamis.domain.audit.note import MAX_NOTE_BYTES
from tamis.domain.audit.tiles import MAX_ENTRY_BYTES
from tamis.settings import SetupError

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can state
_MODE = 0o644 << 16
_MAX_FILE_BYTES = 16 << 20
_MAX_BYTES = {"leaves": MAX_ENTRY_BYTES, "proofs": MAX_NOTE_BYTES, "openings": _MAX_FILE_BYTES}  # by folder
_MAX_ALL_BYTES = 1 << 30
_MAX_FILES = 4 * MAX_ITEMS + 4096


def write_evidence(path: Path, evidence: Evidence, readme: str) -> None:
    """Write a zip.

    Raises:
        SetupError: there is a file of that name, or the folder cannot be written.
    """
    manifest = msgspec.json.format(msgspec.json.encode(evidence.manifest), indent=1) + b"\n"
    files = {README: readme.encode(), MANIFEST: manifest, **dict(sorted(evidence.files.items()))}
    part = path.with_name(f".{path.name}.part")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for name, value in files.items():
                info = zipfile.ZipInfo(name, _EPOCH)
                info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, _MODE
                archive.writestr(info, value)
        os.link(part, path)  # fails where a rename would overwrite
    except FileExistsError:
        raise SetupError(f"{path} is already there") from None
    except OSError as error:
        raise SetupError(f"{path} cannot be written: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)


def read_zip(path: Path) -> Evidence:
    """The evidence in a zip.

    Raises:
        SetupError: the file cannot be read or is no zip.
        EvidenceError: it holds something else, or too much.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            files = _files(archive)
    except (OSError, zipfile.BadZipFile) as error:
        raise SetupError(f"{path} cannot be read as a zip file: {error}") from None
    except (EOFError, RuntimeError, ValueError, OverflowError, zlib.error) as error:
        raise (
            error if isinstance(error, EvidenceError) else EvidenceError(f"a file in it is damaged: {error}")
        ) from None
    return read_evidence(files)


def _files(archive: zipfile.ZipFile) -> Mapping[str, bytes]:
    infos = archive.infolist()
    if len(infos) > _MAX_FILES or sum(info.file_size for info in infos) > _MAX_ALL_BYTES:
        raise EvidenceError("it holds more than evidence can")
    files: dict[str, bytes] = {}
    for info in infos:
        if info.filename in files or info.file_size > _most(info.filename):
            raise EvidenceError(f"{info.filename!r} is twice in it, or too large")
        with archive.open(info) as file:
            files[info.filename] = file.read(_most(info.filename))
    return files


def _most(name: str) -> int:
    """Bytes that a file of this name may have."""
    return _MAX_BYTES.get(name.partition("/")[0], _MAX_FILE_BYTES)
