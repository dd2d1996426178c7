"""What the core needs from outside, as Protocols: adapters implement them, ``worker.py`` wires them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from tamis.domain.consent.model import SubjectRecord
from tamis.domain.epochs import Epochs


class RawRecord(Protocol):
    """A record of an input topic (aiokafka's ConsumerRecord has this shape)."""

    @property
    def offset(self) -> int:
        """Position in the partition."""

    @property
    def timestamp(self) -> int:
        """Kafka record time, ms."""

    @property
    def key(self) -> bytes | None:
        """Record key."""

    @property
    def value(self) -> bytes | None:
        """Record value."""

    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]:
        """Record headers; a value may be null."""


class ConsentView(Protocol):
    """Read side of the consent replica."""

    def get(self, subject_key: str) -> SubjectRecord | None:
        """The subject's record, or None when there is none. Must not raise for unknown keys."""

    def version(self) -> int:
        """Changes whenever any subject record changed (heartbeats excluded)."""


class Sightings(Protocol):
    """What was committed about one raw partition within the window (``domain.sightings``)."""

    def find(self, ids: bytes, minute: int) -> Mapping[int, bytes]:
        """Fingerprints of the ids that were seen and are still within the window.

        Args:
            ids: 16 bytes each, one after the other.
            minute: epoch minute of ``received_at`` of the first of them.

        Returns:
            Place in ``ids`` -> fingerprint (8 bytes), only for ids that were seen.
        """


class KeyProvider(Protocol):
    """Source of key material; a KMS provider fits behind it.

    ``derive`` labels in use: "subject", "pseudonym/<domain>/<epoch>", "event/<domain>", "proof/<domain>", "audit/eid",
    "audit/day/<yyyy-mm-dd>", "fingerprint", "quarantine/<yyyy-mm-dd>", "quarantine/key", "event-id", "held/subject",
    "held/nonce", "held/day/<yyyy-mm-dd>".
    """

    def derive(self, label: str) -> bytes:
        """32 bytes for ``label``, the same for every process that holds the same root key."""

    def epochs(self) -> Epochs:
        """The epochs of pseudonyms: "pseudonym/<domain>/<epoch>" can be derived for each of ``Epochs.live``."""


StateRow = tuple[int, int, bytes, bytes | None]
"""A record of ``consent.state``: (partition, offset, key, value); a None value deletes the key."""


class StateRows(NamedTuple):
    """What a poll of ``consent.state`` gave.

    Attributes:
        rows: committed records, in order within a partition.
        next_offsets: partition -> offset after everything seen, transaction markers included.
    """

    rows: list[StateRow]
    next_offsets: dict[int, int]


class StateBounds(NamedTuple):
    """What there is to follow: ``identity`` changes when the topic is re-created; ``low``, ``high`` by partition."""

    cluster: str
    identity: str
    low: dict[int, int]
    high: dict[int, int]


class StateLostError(Exception):
    """The offsets asked for are gone or were never there: the copy must be built anew from the beginning."""


class StateSource(Protocol):
    """Reads ``consent.state``, committed records only."""

    async def bounds(self) -> StateBounds:
        """Cluster, topic and offsets as they are now."""

    async def start(self, positions: Mapping[int, int]) -> None:
        """Begin at these offsets, one per partition."""

    async def poll(self, max_rows: int, timeout_s: float, *, fill: bool) -> StateRows:
        """The next rows, at most ``max_rows``; empty when nothing came within ``timeout_s``.

        With ``fill`` the whole time is used to collect many, else rows are given as soon as there are any.

        Raises:
            StateLostError: a partition does not reach to the position asked for.
        """

    async def close(self) -> None:
        """Let go of the connection."""
