"""What a sealer is told: which topics of logs there are, how strict it is, and who hears what it does.

Rules: a topic of logs is one line in ``LOGS``.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from tamis.records.topics import Topic
from tamis.services.log_sealer import SealPolicy

LOGS: Mapping[str, str] = {
    Topic.AUDIT_LOG.value: Topic.EVENTS_RAW.value,
    Topic.AUDIT_HELD.value: Topic.EVENTS_HELD.value,
    Topic.AUDIT_HELD_LAST.value: Topic.EVENTS_HELD_LAST.value,
}
"""Topic of logs -> source topic of their leaves."""
STATE_FOLDER = "state"


class SealerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What a sealer needs to know.

    Attributes:
        base: the installation's origin.
        folder: of the export: logs by name, and the store in ``state``.
        topic: short name -> full topic name.
        enrolment: public key of requests, 32 bytes.
        interval_s: between two seals.
        key_wait_s: how long a batch waits for its key.
        wall_time, ahead_ms, at_least_once: see ``SealPolicy``.
    """

    base: str
    folder: Path
    topic: Callable[[str], str]
    enrolment: bytes
    interval_s: float = 1.0
    key_wait_s: float = 60.0
    wall_time: bool = True
    ahead_ms: int = 300_000
    at_least_once: bool = False

    def policy(self, log: str) -> SealPolicy:
        """How strict the sealing of a log is."""
        return SealPolicy(
            topic=LOGS[log], wall_time=self.wall_time, ahead_ms=self.ahead_ms, at_least_once=self.at_least_once
        )


class SealerObserver(Protocol):
    """Told what the sealer does."""

    def sealed(self, log: str, leaves: int) -> None:
        """A checkpoint over so many more leaves of ``log`` (topic without prefix) is published."""

    def looked(self, behind: int, unsealed_s: float, refused: Mapping[str, int]) -> None:
        """A round: offsets still to read, age of the oldest unsealed leaf, refused logs by check."""

    def taken(self, kind: str, n: int) -> None:
        """Requests taken in, by kind."""
