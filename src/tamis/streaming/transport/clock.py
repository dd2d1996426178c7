"""What time it is for a topic, in ms since the epoch.

Rules: under `time_source = broker` the time is this machine's wall clock (records carry LogAppendTime); under `record`
it is the highest record timestamp handed out so far of the topic that drives the clock, and never wall time. A topic
of which nothing was handed out yet has the time of the first record that waits: what is gated must not wait for a clock
that only its being handed out would move. Before that it has none.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

TimeSource = Literal["broker", "record"]


class Clock(Protocol):
    """Tells and learns the time of topics."""

    def read(self, topic: str) -> int | None:
        """The time of a topic, in ms, or None while unknown."""

    def saw(self, topic: str, records: Sequence[Any]) -> None:
        """These records were handed out."""

    def waits(self, topic: str, record: Any) -> None:
        """This record waits to be handed out."""


class WallClock:
    """The machine's clock; what records say is not used."""

    def read(self, topic: str) -> int:  # noqa: ARG002 - the Clock protocol
        """Now, in ms; the same for every topic."""
        return time.time_ns() // 1_000_000

    def saw(self, topic: str, records: Sequence[Any]) -> None:
        """Ignore."""

    def waits(self, topic: str, record: Any) -> None:
        """Ignore."""


class RecordClock:
    """The highest record timestamp seen per topic; may be shared by the apps of one process."""

    def __init__(self) -> None:
        self._highest: dict[str, int] = {}

    def read(self, topic: str) -> int | None:
        """The highest timestamp (ms) handed out of `topic`."""
        return self._highest.get(topic)

    def saw(self, topic: str, records: Sequence[Any]) -> None:
        """Move the topic's time forward to the highest timestamp among `records`."""
        if records:
            highest = max(record.timestamp for record in records)
            self._highest[topic] = max(highest, self._highest.get(topic, highest))

    def waits(self, topic: str, record: Any) -> None:
        """A topic without a time begins with that of the first record that waits."""
        self._highest.setdefault(topic, record.timestamp)
