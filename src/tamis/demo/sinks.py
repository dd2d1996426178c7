"""Writes the output topics of the demo to disk as they come: JSONL a topic.

Rules: runs in a thread of its own, because the embedded broker forgets what nobody reads in time; values are kept as
they are, one a line; nothing is interpreted here but the counts the view shows. The audit log is only counted: the
sealer keeps it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from tamis.demo.thread import GuardedThread
from tamis.kafka.reader import TopicRecord
from tamis.kafka.tail import TopicTail
from tamis.services.sealer_config import LOGS
from tamis.settings import Settings


class DiskSinks:
    """Follows output topics into a folder.

    Args:
        settings: connection and prefix.
        topics: short topic name -> partition count.
        folder: made when missing.
        seen: called with the short name and each batch of records, in the sinks' thread.
    """

    def __init__(
        self, settings: Settings, topics: dict[str, int], folder: Path, seen: Callable[[str, list[TopicRecord]], None]
    ) -> None:
        self._settings = settings
        self._topics = topics
        self._folder = folder
        self._seen = seen
        self._thread = GuardedThread("sinks", self._follow)

    def start(self) -> None:
        """Begins to follow."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._thread.start()

    def stop(self) -> None:
        """Reads what is there, closes the files.

        Raises:
            Exception: what made the thread end early.
        """
        self._thread.stop()

    def _follow(self) -> None:
        full = {self._settings.topic(name): name for name in self._topics}
        files: dict[str, BinaryIO] = {}
        followed = [(topic, self._topics[name]) for topic, name in full.items()]
        try:
            with TopicTail(self._settings.kafka, followed) as tail:
                while True:
                    records = tail.poll(0.1)
                    if not records and self._thread.stopping():
                        return
                    by_topic: dict[str, list[TopicRecord]] = {}
                    for record in records:
                        by_topic.setdefault(full[record.topic], []).append(record)
                    for name, group in by_topic.items():
                        self._write(name, group, files)
                        self._seen(name, group)
        finally:
            for file in files.values():
                file.close()

    def _write(self, name: str, records: list[TopicRecord], files: dict[str, BinaryIO]) -> None:
        if name in LOGS:
            return
        if name not in files:
            files[name] = (self._folder / f"{name}.jsonl").open("wb")
        files[name].write(b"".join([(record.value or b"null") + b"\n" for record in records]))
