"""The consent replica: putting records in, looking them up, and following a topic from its beginning.

    python -m bench.consent_replica [--records N] [--bootstrap HOST:PORT]

Prints a table and, on the last line, JSON. Beside each figure stands a reference of the same run: the same records put
into a bare LMDB file, and a Python dict. With ``--bootstrap`` the records are written to a topic of their own on that
cluster first (it is deleted again), then followed by the replica beside a loop that only reads them.
"""

import argparse
import asyncio
import json
import random
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import lmdb
import msgspec
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tamis.domain.consent.model import PurposeVersion, Status, SubjectRecord
from tamis.domain.keyed import base64url, token
from tamis.kafka.follower import KafkaStateSource
from tamis.ports import StateRow
from tamis.services.replica import ReplicaPolicy, open_replica
from tamis.settings import KafkaSettings
from tamis.stores.consent_view import LmdbConsentView
from tamis.stores.replica import ReplicaWriter
from tamis.stores.replica_file import ReplicaIdentity

PARTITIONS = 8
BATCH = 50_000
LOOKUPS = 200_000
HOT = 5_000
Figures = dict[str, float]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=300_000)
    parser.add_argument("--bootstrap")
    arguments = parser.parse_args()
    rows = make_rows(arguments.records)
    with tempfile.TemporaryDirectory() as folder:
        figures = put(rows, Path(folder)) | look_up(rows, Path(folder))
        if arguments.bootstrap:
            figures |= asyncio.run(bootstrap(rows, Path(folder), arguments.bootstrap))
    for name, value in figures.items():
        print(f"{name:<58}{value:>14,.2f}")
    print(json.dumps({name: round(value, 3) for name, value in figures.items()}))


def make_rows(count: int) -> list[StateRow]:
    """Records of ``count`` subjects: two or three purposes, one or two versions each."""
    chance, key = random.Random(7), token(b"b" * 32)
    rows: list[StateRow] = []
    for number in range(count):
        subject = key(b"%d" % number).encode()
        rows.append((subject[0] % PARTITIONS, number, subject, msgspec.json.encode(_record(chance, number))))
    return rows


def _record(chance: random.Random, number: int) -> SubjectRecord:
    def versions() -> tuple[PurposeVersion, ...]:
        moment = 1_795_000_000_000 + chance.randrange(10**9)
        return tuple(
            PurposeVersion(
                status=chance.choice(list(Status)), effective_at=moment - step, recorded_at=moment, source="segment"
            )
            for step in range(chance.choice((1, 1, 2)))
        )

    purposes = {f"gdpr/{p}": versions() for p in ("analytics", "marketing", "profiling")[: chance.choice((2, 3))]}
    salt = base64url(chance.randbytes(32))
    return SubjectRecord(salt=salt, revision=number % 5 + 1, identity="person", purposes=purposes)


def put(rows: list[StateRow], folder: Path) -> Figures:
    """Records per second into the replica, and into a bare LMDB file."""
    identity = ReplicaIdentity(cluster="bench", topic="bench", partitions=PARTITIONS)
    writer = ReplicaWriter(folder / "put", identity)
    start, cpu = time.perf_counter(), time.process_time()
    for first in range(0, len(rows), BATCH):
        writer.apply(rows[first : first + BATCH], {0: first}, 0, caught_up=False)
    span, cpu = time.perf_counter() - start, time.process_time() - cpu
    writer.close()
    env = lmdb.open(str(folder / "bare"), map_size=8 << 30)
    start, bare_cpu = time.perf_counter(), time.process_time()
    for first in range(0, len(rows), BATCH):
        with env.begin(write=True) as txn:
            for _, _, key, value in rows[first : first + BATCH]:
                txn.put(key, value or b"")
    bare, bare_cpu = time.perf_counter() - start, time.process_time() - bare_cpu
    env.close()
    return {
        "put, records/s": len(rows) / span,
        "put, records per CPU second": len(rows) / cpu,
        "reference: bare LMDB put, records/s": len(rows) / bare,
        "reference: bare LMDB put, records per CPU second": len(rows) / bare_cpu,
    }


def look_up(rows: list[StateRow], folder: Path) -> Figures:
    """µs for one look-up, decoded: of any subject, of recently seen ones, of unknown ones; and of a dict."""
    chance = random.Random(8)
    keys = [row[2].decode() for row in rows]
    any_of = [chance.choice(keys) for _ in range(LOOKUPS)]
    hot = [keys[chance.randrange(HOT)] for _ in range(LOOKUPS)]
    view = LmdbConsentView(folder / "put")
    plain = dict.fromkeys(keys, 1)
    figures = {
        "look-up, any subject, us": _each(view.get, any_of),
        f"look-up, {HOT} subjects seen before, us": _each(view.get, hot),
        "look-up, unknown subject, us": _each(view.get, [key[::-1] for key in any_of]),
        "reference: bare LMDB get and decoding, any subject, us": _bare(folder / "bare", any_of),
        "reference: dict.get, us": _each(plain.get, any_of),
        "new snapshot and version, us": _each(lambda _: view.version(), any_of[: LOOKUPS // 4]),
    }
    view.close()
    return figures


def _bare(file: Path, keys: list[str]) -> float:
    env, decode = lmdb.open(str(file), readonly=True), msgspec.json.Decoder(SubjectRecord).decode
    with env.begin() as txn:
        found = _each(lambda key: decode(txn.get(key.encode()) or b""), keys)
    env.close()
    return found


def _each(call: Callable[[str], object], keys: list[str]) -> float:
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        for key in keys:
            call(key)
        best = min(best, time.process_time() - start)
    return best / len(keys) * 1e6


async def bootstrap(rows: list[StateRow], folder: Path, address: str) -> Figures:
    """Records per second and CPU from the beginning of a topic to caught up, beside a loop that only reads."""
    topic = f"bench-consent-{uuid.uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": address})
    for future in admin.create_topics([NewTopic(topic, PARTITIONS, 1)]).values():
        future.result(30)
    try:
        _load(rows, topic, address)
        bare = _read(topic, address, len(rows))
        replica = await open_replica(
            KafkaStateSource(KafkaSettings(bootstrap=address), topic), folder / "topic", ReplicaPolicy(max_rows=BATCH)
        )
        stop, start, cpu = asyncio.Event(), time.perf_counter(), time.process_time()
        task = asyncio.create_task(replica.follow(stop))
        await replica.caught_up.wait()
        span, cpu = time.perf_counter() - start, time.process_time() - cpu
        stop.set()
        await task
        await replica.close()
    finally:
        for future in admin.delete_topics([topic]).values():
            future.result(30)
    return {
        "bootstrap from a topic, records/s": len(rows) / span,
        "bootstrap, CPU us per record": cpu / len(rows) * 1e6,
        "reference: reading alone, records/s": bare,
    }


def _load(rows: list[StateRow], topic: str, address: str) -> None:
    producer = Producer({"bootstrap.servers": address, "linger.ms": 50, "compression.type": "lz4"})
    for partition, _, key, value in rows:
        while True:
            try:
                producer.produce(topic, value, key, partition=partition)
                break
            except BufferError:
                producer.poll(0.1)
    assert producer.flush(120) == 0


def _read(topic: str, address: str, count: int) -> float:
    consumer = Consumer({"bootstrap.servers": address, "group.id": "bench", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(PARTITIONS)])
    start, seen = time.perf_counter(), 0
    while seen < count:
        seen += sum(1 for message in consumer.consume(BATCH, 1.0) if message.value() and message.key())
    span = time.perf_counter() - start
    consumer.close()
    return seen / span


if __name__ == "__main__":
    main()
