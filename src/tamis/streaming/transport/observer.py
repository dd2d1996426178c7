"""What the transport tells whoever measures it.

Rules: calls are made on the event loop, at most a few per batch, and must neither block nor raise. Nothing here imports
a metrics library: telemetry implements the protocol and sets it as `app.transport.observer`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class TransportObserver(Protocol):
    """Receives what happens at the streaming edge."""

    def batch_committed(self, topic: str, partition: int, n: int, batch_s: float, tx_s: float) -> None:
        """A batch of `n` records was committed; `batch_s` in the agent's hands, `tx_s` to deliver and commit."""

    def lag(self, topic: str, partition: int, lag: int) -> None:
        """Records between the committed offset and the end of the partition."""

    def gate(self, topic: str, reason: str | None) -> None:
        """The gate of a topic closed for `reason`, or opened (None)."""

    def epoch(self, generation: int, partitions: Sequence[tuple[str, int]]) -> None:
        """A group generation began with these (topic, partition)."""

    def fatal(self, kind: str) -> None:
        """The worker is about to die; `kind` is the class name of the fault."""


class NoObserver:
    """Ignores everything."""

    def batch_committed(self, topic: str, partition: int, n: int, batch_s: float, tx_s: float) -> None:
        """Ignore."""

    def lag(self, topic: str, partition: int, lag: int) -> None:
        """Ignore."""

    def gate(self, topic: str, reason: str | None) -> None:
        """Ignore."""

    def epoch(self, generation: int, partitions: Sequence[tuple[str, int]]) -> None:
        """Ignore."""

    def fatal(self, kind: str) -> None:
        """Ignore."""
