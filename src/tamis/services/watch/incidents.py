"""The open incidents as the ``alerts`` topic has them, followed for a view.

Rules: the last record of an incident is its state; reading goes on where it ended; a cluster that does not answer is a
trouble that is told and tried again, and what was known stays.
"""

import threading
from collections.abc import Callable, Iterable

import msgspec

from tamis.kafka.reader import TopicRecord, read_topic
from tamis.records.alert import Alert, decode_alert
from tamis.records.topics import Topic
from tamis.settings import Settings, SetupError

SILENCE_S = 5.0
_CLOSED = "closed"


class FollowedIncidents:
    """Follows ``alerts``.

    Args:
        settings: connection and prefix.
        silence_s: seconds without an answer that count as none.

    Attributes:
        trouble: why the last reading failed, empty when it did not.
    """

    def __init__(self, settings: Settings, silence_s: float = SILENCE_S) -> None:
        self._settings = settings
        self._silence_s = silence_s
        self._next: int | None = None
        self._open: dict[str, Alert] = {}
        self._known = False
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.trouble = ""

    def open(self) -> tuple[Alert, ...] | None:
        """The open incidents, oldest first; None while they were never read."""
        found = sorted(self._open.copy().values(), key=lambda alert: (alert.opened_at, alert.id))
        return tuple(found) if self._known else None

    def refresh(self) -> None:
        """Reads what has come."""
        first = None if self._next is None else {0: self._next}
        topic = self._settings.topic(Topic.ALERTS)
        try:
            self.take(read_topic(self._settings.kafka, topic, first=first, silence_s=self._silence_s))
        except SetupError as error:
            self.trouble = str(error)
        else:
            self._known, self.trouble = True, ""

    def take(self, records: Iterable[TopicRecord]) -> None:
        """Records in the order of their offsets; what tamis did not write is passed over."""
        for record in records:
            self._next = record.offset + 1
            if record.value is None:
                self._open.pop((record.key or b"").decode("utf-8", "replace"), None)
                continue
            try:
                alert = decode_alert(record.value)
            except msgspec.DecodeError:
                continue
            if alert.state == _CLOSED:
                self._open.pop(alert.id, None)
            else:
                self._open[alert.id] = alert

    def start(self, every_s: float, told: Callable[[], None] = lambda: None) -> None:
        """Refreshes in a thread of its own until ``stop``."""

        def run() -> None:
            while not self._stop.is_set():
                self.refresh()
                told()
                self._stop.wait(every_s)

        self._thread = threading.Thread(target=run, name="incidents", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread, waiting for it no longer than an answer may take."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(self._silence_s)
