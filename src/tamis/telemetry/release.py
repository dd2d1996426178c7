"""Held events as series: implements ``ReleaseObserver`` of the release agents.

Rules: called once a batch, after its commit; what is known of partitions that went elsewhere is dropped.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Protocol

from tamis.records.batch import Emissions
from tamis.records.topics import Topic
from tamis.telemetry import counts_series, held_series
from tamis.telemetry.series import Shelf
from tamis.telemetry.slowest import Slowest

_TOPICS = (Topic.EVENTS_HELD.value, Topic.EVENTS_HELD_LAST.value)


class Found(Protocol):
    """What is asked of ``release.Released``."""

    @property
    def emissions(self) -> Emissions:
        """Of the batch."""

    @property
    def fates(self) -> Mapping[tuple[str, str], int]:
        """(outcome, reason) -> records."""


class ReleaseTelemetry:
    """The release role.

    Args:
        shelf: the process's series.
        now: ms, the time events are judged at.
    """

    def __init__(self, shelf: Shelf, now: Callable[[], int]) -> None:
        self._behind = Slowest(shelf, held_series.RELEASE_BEHIND, now)
        self._decided = shelf[held_series.HELD_DECIDED]
        self._pending = shelf[held_series.HELD_PENDING]
        self._sent = shelf[counts_series.SENT]
        self._waiting: dict[tuple[str, int], int] = {}

    def released(self, topic: str, partition: int, found: Found) -> None:
        """See ``ReleaseObserver.released``."""
        for fate, n in found.fates.items():
            self._decided.of(*fate).inc(n)
        for destination, n in found.emissions.sent.items():
            self._sent.of(destination).inc(n)
        self._behind.seen(_number(topic, partition), found.emissions.watermark)

    def lag(self, topic: str, partition: int, waiting: int) -> None:
        """So many records of a partition are not decided, as of its last commit."""
        self._waiting[topic, partition] = waiting
        self._show()

    def owns(self, owned: dict[str, set[int]]) -> None:
        """Partitions by topic that this process has now."""
        self._behind.keep({_number(topic, each) for topic in _TOPICS for each in owned.get(topic, ())})
        self._waiting = {place: n for place, n in self._waiting.items() if place[1] in owned.get(place[0], ())}
        self._show()

    def _show(self) -> None:
        totals: Counter[str] = Counter()
        for (topic, _), n in self._waiting.items():
            totals[topic] += n
        for topic in _TOPICS:
            self._pending.of(topic).set(totals[topic])


def _number(topic: str, partition: int) -> int:
    return partition * len(_TOPICS) + _TOPICS.index(topic)
