"""The sealer as series: implements ``SealerObserver`` of ``services.sealer_config``."""

from collections.abc import Mapping

from tamis.telemetry import catalogue
from tamis.telemetry.series import Shelf


class SealerTelemetry:
    """The sealer process.

    Args:
        shelf: the process's series.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._leaves = shelf[catalogue.SEALED_LEAVES]
        self._checkpoints = shelf[catalogue.CHECKPOINTS]
        self._requests = shelf[catalogue.SEALER_REQUESTS]
        self._refused = shelf[catalogue.SEALER_REFUSED]
        self._behind = shelf[catalogue.SEALER_BEHIND].of()
        self._waiting = shelf[catalogue.SEALER_WAITING].of()
        self._seen: set[str] = set()

    def sealed(self, log: str, leaves: int) -> None:
        """See ``SealerObserver.sealed``."""
        self._leaves.of(log).inc(leaves)
        self._checkpoints.of(log).inc()

    def looked(self, behind: int, unsealed_s: float, refused: Mapping[str, int]) -> None:
        """See ``SealerObserver.looked``."""
        self._behind.set(behind)
        self._waiting.set(unsealed_s)
        self._seen |= set(refused)
        for check in self._seen:
            self._refused.of(check).set(refused.get(check, 0))

    def taken(self, kind: str, n: int) -> None:
        """See ``SealerObserver.taken``."""
        if n:
            self._requests.of(kind).inc(n)
