"""Follows samples and their answers for one worker, and tells what they say.

Rules: a thread of each worker with the role anomaly; all of them tell the same. An unreachable cluster is tried again;
whatever else goes wrong ends the thread and is logged, since nothing but a metric depends on it.
"""

import asyncio
import threading
from collections.abc import Callable

import structlog

from tamis.domain.tagging_error import Report
from tamis.kafka.follower import KafkaStateSource
from tamis.ports import StateLostError
from tamis.records.topics import Topic
from tamis.services.review import ReviewBook
from tamis.settings import Settings, UnreachableError

POLL_S = 2.0
AGAIN_S = 5.0
_MAX_ROWS = 5_000


class ReviewWatch:
    """One worker's view of both topics.

    Args:
        settings: of the worker.
        told: called with the estimate whenever something was read.
    """

    def __init__(self, settings: Settings, told: Callable[[Report], None]) -> None:
        self._settings, self._told = settings, told
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="review", daemon=True)
        self._log = structlog.get_logger("tamis.review")

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def close(self) -> None:
        """Ends the thread."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(5 * POLL_S)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    asyncio.run(self._follow())
                except (UnreachableError, StateLostError) as error:
                    self._log.warning("topics of spot checks out of reach", why=str(error))
                    self._stop.wait(AGAIN_S)
        except Exception:  # noqa: BLE001 - only a metric is lost
            self._log.error("the watcher of spot checks ends", exc_info=True)

    async def _follow(self) -> None:
        book = ReviewBook()
        topics = {Topic.REVIEW_SAMPLES: book.sampled, Topic.REVIEW_LABELS: book.labelled}
        sources = [
            (KafkaStateSource(self._settings.kafka, self._settings.topic(topic)), take)
            for topic, take in topics.items()
        ]
        try:
            for source, _ in sources:
                await source.start((await source.bounds()).low)
            while not self._stop.is_set():
                read = 0
                for source, take in sources:
                    found = await source.poll(_MAX_ROWS, POLL_S, fill=False)
                    for _, _, _, value in found.rows:
                        take(value)
                    read += len(found.rows)
                if read:
                    self._told(book.report(self._settings.review.target_ratio))
        finally:
            for source, _ in sources:
                await source.close()
