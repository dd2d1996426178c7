"""What the core needs from outside, as Protocols: adapters implement them, ``worker.py`` wires them."""

from collections.abc import Sequence
from typing import Protocol

from tamis.domain.consent.model import SubjectRecord


class RawRecord(Protocol):
    """A record of an input topic (aiokafka's ConsumerRecord has this shape)."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class ConsentView(Protocol):
    """Read side of the consent replica."""

    def get(self, subject_key: str) -> SubjectRecord | None:
        """The subject's record, or None when there is none. Must not raise for unknown keys."""

    def version(self) -> int:
        """Changes whenever any subject record changed (heartbeats excluded)."""


class KeyProvider(Protocol):
    """Source of key material; a KMS provider fits behind it.

    ``derive`` labels in use: "subject", "pseudonym/<domain>/<epoch>", "event/<domain>", "proof/<domain>", "audit/eid",
    "audit/day/<yyyy-mm-dd>", "quarantine/<yyyy-mm-dd>", "quarantine/key", "event-id".
    """

    def derive(self, label: str) -> bytes:
        """32 bytes for ``label``, the same for every process that holds the same root key."""

    def epoch(self) -> str:
        """The current pseudonym epoch, e.g. "1"."""
