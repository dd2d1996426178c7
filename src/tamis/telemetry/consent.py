"""Consent on its way to the workers, and privacy requests, as series: observers of the consent role and the replica.

Rules: an age is computed when it is scraped, from the last clock seen, so a worker that hangs shows an age that grows;
what is not known is infinitely old.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from math import inf
from typing import Protocol

from tamis.domain.consent.folding import Folded
from tamis.records.topics import Topic
from tamis.telemetry import catalogue, privacy_series
from tamis.telemetry.series import Shelf
from tamis.telemetry.slowest import Slowest

_RAW = Topic.CONSENT_RAW.value
_REQUESTS = Topic.PRIVACY_REQUESTS.value


class ConsentTelemetry:
    """The consent role.

    Args:
        shelf: the process's series.
        now: ms.
    """

    def __init__(self, shelf: Shelf, now: Callable[[], int]) -> None:
        self._shelf = shelf
        self._behind = Slowest(shelf, catalogue.CONSENT_BEHIND, now)
        self._changes = shelf[catalogue.CONSENT_CHANGES].of()
        self._subjects = shelf[catalogue.SUBJECTS].of()
        self._erasures = shelf[privacy_series.ERASURES].of()

    def normalised(self, partition: int, counts: Counter[str], clock: int) -> None:
        """See ``ConsentObserver.normalised``."""
        for what, count in counts.items():
            kind, _, detail = what.partition("/")
            if kind == "changes":
                self._changes.inc(count)
            elif kind == "ignored":
                self._shelf[catalogue.CONSENT_IGNORED].of(detail).inc(count)
            elif kind == "invalid":
                self._shelf[catalogue.QUARANTINED].of(_RAW, detail).inc(count)
        self._behind.seen(partition, clock)

    def folded(self, partition: int, folded: Folded) -> None:
        """See ``ConsentObserver.folded``."""
        del partition
        self._subjects.inc(folded.changed)
        for reason, count in folded.told.items():
            self._shelf[privacy_series.RETRACTIONS].of(reason).inc(count)
        self._erasures.inc(sum(receipt.records for receipt in folded.receipts))

    def requested(self, partition: int, counts: Counter[str], clock: int) -> None:
        """See ``PrivacyObserver.requested``."""
        del partition, clock
        for what, count in counts.items():
            kind, _, detail = what.partition("/")
            if kind == "requests":
                self._shelf[privacy_series.PRIVACY_REQUESTS].of(detail).inc(count)
            elif kind == "invalid":
                self._shelf[catalogue.QUARANTINED].of(_REQUESTS, detail).inc(count)
                self._shelf[privacy_series.PRIVACY_REQUESTS].of(privacy_series.REFUSED).inc(count)

    def owns(self, owned: dict[str, set[int]]) -> None:
        """Partitions by topic that this process has now."""
        self._behind.keep(owned.get(_RAW, ()))


class AgeTelemetry:
    """Consent age of a process that reads the replica.

    Args:
        shelf: the process's series.
        now: ms, the time events are judged at.
        bound_s: above it intake waits.
    """

    def __init__(self, shelf: Shelf, now: Callable[[], int], bound_s: float) -> None:
        self._now = now
        self._clock = Slowest(shelf, catalogue.CONSENT_AGE, now, unknown=inf)
        shelf[catalogue.CONSENT_BOUND].of().set(bound_s)

    def sampled(self, age_s: float) -> None:
        """The replica's consent is ``age_s`` old now, ``inf`` while unknown."""
        self._clock.seen(0, None if age_s == inf else self._now() - round(age_s * 1000))


class Progress(Protocol):
    """What the replica tells of itself: see ``services.replica.ReplicaProgress``."""

    @property
    def applied(self) -> int:
        """Rows applied since the replica was opened."""

    @property
    def changed(self) -> int:
        """Subject records changed since then."""

    @property
    def behind(self) -> int:
        """Offsets still to go."""

    @property
    def oldest_clock(self) -> int:
        """Ms, -1 while unknown."""

    @property
    def enforced(self) -> Sequence[float]:
        """Seconds each new refusal took to get here."""


class ReplicaTelemetry:
    """The replica process.

    Args:
        shelf: the process's series.
        now: ms.
    """

    def __init__(self, shelf: Shelf, now: Callable[[], int]) -> None:
        self._clock = Slowest(shelf, catalogue.REPLICA_AGE, now, unknown=inf)
        self._applied = shelf[catalogue.REPLICA_APPLIED].of()
        self._changed = shelf[catalogue.REPLICA_CHANGED].of()
        self._behind = shelf[catalogue.REPLICA_BEHIND].of()
        self._enforced = shelf[privacy_series.WITHDRAWAL_SECONDS].of()
        self._told = (0, 0)

    def progress(self, seen: Progress) -> None:
        """Called after each poll; ``applied`` and ``changed`` never go back within a process."""
        applied, changed = self._told
        self._told = seen.applied, seen.changed
        self._applied.inc(seen.applied - applied)
        self._changed.inc(seen.changed - changed)
        self._behind.set(seen.behind)
        for seconds in seen.enforced:
            self._enforced.observe(seconds)
        self._clock.seen(0, None if seen.oldest_clock < 0 else seen.oldest_clock)
