"""What this host remembers of the audit logs it wrote, outside Kafka: one small file a log.

Rules: a log never gets shorter, so an end of the log that is before what is remembered means that the broker holds an
older state, and the log is not continued. The memory may be behind (it is written now and then, and another host may
have written since): it is a bound from below. Files are replaced whole; an unreadable one is a fault for a person.
"""

import os
from pathlib import Path

import msgspec

from tamis.settings import SetupError


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a log as this host last saw it committed.

    Attributes:
        log: its origin.
        n: leaves.
        next: source offset after the last batch.
        root: base64 of the tree head.
    """

    log: str
    n: int
    next: int
    root: str


class AuditMemory:
    """Files of one folder, one a log and partition; epochs replace each other.

    Args:
        folder: made when the first note is taken.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, log: str, partition: int) -> Path:
        """The file of one log."""
        return self._folder / f"{log}-p{partition}.json"

    def recall(self, log: str, partition: int) -> Remembered | None:
        """What is remembered of a log, None for nothing.

        Raises:
            SetupError: the file is there but cannot be read.
        """
        path = self.path(log, partition)
        try:
            return msgspec.json.decode(path.read_bytes(), type=Remembered)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError):
            raise SetupError(f"{path}: cannot be read; it says how far the audit log was written") from None

    def note(self, log: str, partition: int, seen: Remembered) -> None:
        """Remember the end of a log."""
        path = self.path(log, partition)
        draft = path.with_suffix(f".{os.getpid()}.part")
        try:
            draft.write_bytes(msgspec.json.encode(seen))
        except FileNotFoundError:
            self._folder.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(msgspec.json.encode(seen))
        draft.replace(path)
