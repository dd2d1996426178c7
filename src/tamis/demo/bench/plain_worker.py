"""The plain job of the benchmark: the worker's intake with the audit tree and the counts left out.

Rules: everything else is the product's own path, the audit leaf per event among it; only the Merkle tree, the batch
heads, the search for repeats and ``metrics.partials`` are missing. For measuring alone: a log without heads can be
neither verified nor continued.
"""

import os
import sys
from pathlib import Path

from msgspec.structs import replace

from tamis.domain.audit.log import AuditLog
from tamis.records.batch import Emissions
from tamis.settings import DedupeSettings
from tamis.settings_loader import load_settings
from tamis.stores.consent_view import LmdbConsentView
from tamis.streaming.agents.intake import IntakeRunner
from tamis.streaming.parts import load_parts
from tamis.streaming.roles import intake_app
from tamis.streaming.run import run_apps
from tamis.streaming.transport.batch import Batch


class UnhashedLog(AuditLog):
    """Numbers leaves and hashes nothing."""

    __slots__ = ("_n",)

    def __init__(self, origin: str, idle_head_ms: int = 0) -> None:
        super().__init__(origin, idle_head_ms)
        self._n = 0

    @property
    def seq(self) -> int:
        """Index of the next leaf."""
        return self._n

    def append(
        self,
        leaves: list[bytes],
        counts: dict[str, int],
        first: int,
        next_: int,
        clock: int,
        lost: tuple[int, int] | None,
    ) -> bytes | None:
        """Counts only."""
        del counts, first, lost
        self.clock, self.next = clock, next_
        self._n += len(leaves)
        return None


class PlainRunner(IntakeRunner):
    """Writes what leaves and the leaves, not the counts."""

    async def open_log(self, batch: Batch) -> AuditLog:
        """A log that hashes nothing."""
        return UnhashedLog(f"plain/{batch.partition}")

    def write_counts(self, batch: Batch, emissions: Emissions, stamp: int | None) -> None:
        """Nothing."""


class Silent:
    """Observes nothing."""

    def decided(self, partition: int, emissions: Emissions) -> None:
        """Ignore."""

    def remembered(self, partition: int, ids: int, size_bytes: int, window_s: int) -> None:
        """Ignore."""


def main() -> int:
    """Runs until it is stopped."""
    settings = replace(load_settings(None).settings, dedupe=DedupeSettings(window_h=0))
    parts = load_parts(settings, str(os.getpid()))
    view = LmdbConsentView(Path(settings.replica_path()))
    return run_apps([intake_app(parts, view, Silent(), PlainRunner)])


if __name__ == "__main__":
    sys.exit(main())
