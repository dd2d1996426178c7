"""Reads one destination's stream and stores each event once.

    python examples/consume_crm.py crm.hubspot
    python examples/consume_crm.py events.clean --bootstrap HOST:PORT --database events.sqlite --idle 10

Three rules make it exact (docs/crm.md): read committed records only; commit the offset after the record is stored;
store under the event id, so that a repeat changes nothing.
"""

import argparse
import json
import sqlite3

from confluent_kafka import Consumer, KafkaException, Message

CLIENT_SETTINGS = {
    "isolation.level": "read_committed",  # records of aborted transactions are not for you
    "enable.auto.commit": False,  # the offset is committed after the record is stored
    "auto.offset.reset": "earliest",
}


def open_store(path: str) -> sqlite3.Connection:
    """A table whose key is the idempotency key; stands in for the CRM."""
    store = sqlite3.connect(path)
    store.execute("CREATE TABLE IF NOT EXISTS events (event_id TEXT PRIMARY KEY, subject TEXT, record TEXT)")
    return store


def store_once(store: sqlite3.Connection, message: Message) -> bool:
    """Store the record; False when its event was there already."""
    record = json.loads(message.value() or b"{}")
    row = (record["event_id"], record["subject"], json.dumps(record))
    with store:
        return store.execute("INSERT OR IGNORE INTO events VALUES (?, ?, ?)", row).rowcount == 1


def main() -> None:
    """Read until interrupted, or until nothing came for ``--idle`` seconds."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("topic")
    options.add_argument("--bootstrap", default="127.0.0.1:9092")
    options.add_argument("--group", default="example-crm")
    options.add_argument("--database", default=":memory:")
    options.add_argument("--idle", type=float, default=0.0, help="end after so many seconds without a record")
    given = options.parse_args()

    store = open_store(given.database)
    consumer = Consumer({"bootstrap.servers": given.bootstrap, "group.id": given.group, **CLIENT_SETTINGS})
    consumer.subscribe([given.topic])
    try:
        follow(consumer, store, given.idle)
    except KeyboardInterrupt:
        pass
    finally:
        consumer.close()
        store.close()


def follow(consumer: Consumer, store: sqlite3.Connection, idle_s: float) -> None:
    """Store and print each record, then commit its offset."""
    while True:
        message = consumer.poll(idle_s or 1.0)
        if message is None:
            if idle_s:
                return
            continue
        error = message.error()
        if error is not None:
            raise KafkaException(error)
        print("new   " if store_once(store, message) else "again ", (message.value() or b"").decode())
        consumer.commit(message, asynchronous=False)


if __name__ == "__main__":
    main()
