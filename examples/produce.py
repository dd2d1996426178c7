"""Sends one consent statement and one event, the way a collector would.

    python examples/produce.py                       to 127.0.0.1:9092
    python examples/produce.py --bootstrap HOST:PORT --prefix prod.

The consent statement goes first, and the event follows after a pause, as a visitor's first click would: an event that
overtakes its consent on the way through tamis is denied. See docs/producers.md.
"""

import argparse
import json
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import KafkaError, Message, Producer

CLIENT_SETTINGS = {
    "enable.idempotence": True,  # a retry of the client does not become a second record
    "acks": "all",
    "compression.type": "lz4",
    "linger.ms": 20,
}


def consent(person: str, device: str, at: str) -> dict[str, Any]:
    """A statement in the canonical form (docs/consent-canonical-form.md)."""
    return {
        "type": "consent",
        "identity": {"person": person, "device": device},
        "choices": {"analytics": "granted", "marketing": "granted"},
        "effective_at": at,
        "source": "example",
    }


def event(person: str, device: str, at: str) -> dict[str, Any]:
    """A track call as an analytics.js SDK sends it."""
    return {
        "type": "track",
        "messageId": str(uuid.uuid4()),
        "event": "Quote Started",
        "userId": person,
        "anonymousId": device,
        "timestamp": at,
        "properties": {"plan": "business", "estimate": 1200, "note": "call me on 0470 12 34 56"},
        "context": {"page": {"url": "https://shop.example.test/quote?token=secret"}},
    }


def main() -> None:
    """Send both records."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--bootstrap", default="127.0.0.1:9092")
    options.add_argument("--prefix", default="", help="topics.prefix of the settings")
    options.add_argument("--pause", type=float, default=2.0, help="seconds between consent and event")
    given = options.parse_args()

    producer = Producer({"bootstrap.servers": given.bootstrap, **CLIENT_SETTINGS})
    person, device = f"customer-{uuid.uuid4().hex[:8]}", str(uuid.uuid4())
    send(producer, given.prefix + "consent.raw", device, consent(person, device, now()))
    time.sleep(given.pause)
    send(producer, given.prefix + "events.raw", device, event(person, device, now()))


def now() -> str:
    """RFC 3339 with a zone, as both topics want it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def send(producer: Producer, topic: str, key: str, body: dict[str, Any]) -> None:
    """Send one record and wait until the brokers have it; a real producer would not wait for each."""
    producer.produce(topic, json.dumps(body), key=key, on_delivery=report)
    if producer.flush(30):
        raise SystemExit("not delivered within 30 s")


def report(error: KafkaError | None, message: Message) -> None:
    """Say where the record went; never what was in it."""
    if error is not None:
        raise SystemExit(f"not delivered: {error}")
    print(f"{message.topic()}/{message.partition()} @ {message.offset()}")


if __name__ == "__main__":
    main()
