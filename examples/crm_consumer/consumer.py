"""Follows one destination's stream and its retractions into a database, exactly once; made to be copied.

    python examples/crm_consumer/consumer.py hubspot
    python examples/crm_consumer/consumer.py clean --topic events.clean --bootstrap HOST:PORT --database clean.sqlite

Rules: committed records only (``read_committed``); where to go on stands in the database beside what was read, not in
Kafka, so the two cannot differ; Kafka is told as well, for those who watch the lag. It ends on SIGINT and SIGTERM
between two batches, and may be killed at any time.
"""

import argparse
import signal
import time
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition
from store import Record, Store  # type: ignore[import-not-found]  # the file beside this one

BATCH, POLL_S = 500, 0.5
DAY_MS = 86_400_000
REMEMBER_MS = 30 * DAY_MS
"""How long ids and retractions are remembered: at least what Kafka keeps of the two topics."""

CLIENT_SETTINGS = {
    "isolation.level": "read_committed",  # records of aborted transactions are not for you
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "earliest",
}


class Follower:
    """Reads both topics into the store.

    Args:
        consumer: a Kafka consumer.
        store: where everything is kept.
        topics: the destination's, and the one of retractions.
    """

    def __init__(self, consumer: Any, store: Store, topics: list[str]) -> None:
        self._consumer, self._store = consumer, store
        self._forget_at = 0.0
        self.stopped = False
        consumer.subscribe(topics, on_assign=self._assigned)

    def _assigned(self, consumer: Any, partitions: list[TopicPartition]) -> None:
        """Go on where the database ends, whatever Kafka remembers."""
        for each in partitions:
            found = self._store.next_offset(each.topic, each.partition)
            if found is not None:
                each.offset = found
        consumer.assign(partitions)

    def step(self) -> int:
        """One batch; gives how many records it had."""
        messages = self._consumer.consume(BATCH, POLL_S)
        for message in messages:
            if message.error() is not None:
                raise KafkaException(message.error())
        if messages:
            applied = self._store.apply(Record(m.topic(), m.partition(), m.offset(), m.value()) for m in messages)
            print(" ".join(f"{name}={count}" for name, count in applied._asdict().items()), flush=True)
            ends = {(m.topic(), m.partition()): m.offset() + 1 for m in messages}
            self._consumer.commit(offsets=[TopicPartition(t, p, o) for (t, p), o in ends.items()], asynchronous=True)
        if time.monotonic() >= self._forget_at:
            self._forget_at = time.monotonic() + 3_600
            self._store.forget(time.time_ns() // 1_000_000 - REMEMBER_MS)
        return len(messages)


def main() -> None:
    """Follow until asked to stop, or until nothing came for ``--idle`` seconds."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("destination", help="id of the destination, e.g. hubspot")
    options.add_argument("--topic", help="its topic without prefix; crm.<destination> unless given")
    options.add_argument("--prefix", default="", help="what all topic names begin with")
    options.add_argument("--bootstrap", default="127.0.0.1:9092")
    options.add_argument("--group", default="example-crm")
    options.add_argument("--instance", help="name of this process: started again under it, it goes on at once")
    options.add_argument("--database", default="crm.sqlite")
    options.add_argument("--idle", type=float, default=0.0, help="end after so many seconds without a record")
    given = options.parse_args()

    retractions = f"{given.prefix}crm.retractions"
    topics = [given.prefix + (given.topic or f"crm.{given.destination}"), retractions]
    store = Store(given.database, given.destination, retractions)
    named = {"group.instance.id": given.instance} if given.instance else {}
    consumer = Consumer({"bootstrap.servers": given.bootstrap, "group.id": given.group, **named, **CLIENT_SETTINGS})
    follower = Follower(consumer, store, topics)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: setattr(follower, "stopped", True))
    heard_at = time.monotonic()
    try:
        while not follower.stopped:
            if follower.step():
                heard_at = time.monotonic()
            elif given.idle and time.monotonic() - heard_at > given.idle:
                break
    finally:
        consumer.close()
        store.close()


if __name__ == "__main__":
    main()
