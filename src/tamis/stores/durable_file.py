"""Files that are whole or not there: written beside their place, brought to disk, renamed."""

import os
from pathlib import Path


def place_file(path: Path, value: bytes) -> None:
    """Write or replace a file; after a crash it holds the old bytes or the new ones. Folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    with draft.open("wb") as file:
        file.write(value)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
