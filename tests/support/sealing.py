"""A sealer, and logs for it as workers write them: attested, registered, each batch in a transaction of its own."""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING

from confluent_kafka import Producer

from tamis.domain.audit.leaf import HEAD_HEADER
from tamis.domain.audit.log import AuditLog
from tamis.domain.audit.requests import enrolment_key
from tamis.kafka.sealing import Publisher, SealerSource
from tamis.keys.sealer import SealingKeys, new_entry
from tamis.records.topics import Topic
from tamis.services.sealer import Sealer, wall_ms
from tamis.services.sealer_config import LOGS, SealerConfig
from tamis.settings import KafkaSettings
from tamis.streaming.agents.audit_key import InMemorySigner
from tests.support.audit import LogWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tamis.domain.audit.notices import Opening
    from tests.support.audit import Record
    from tests.support.kafka.cluster import KafkaCluster

ENROL = enrolment_key(hashlib.sha256(b"enrolment of tests").digest())
ENROLMENT = ENROL.public_key().public_bytes_raw()


def signer() -> InMemorySigner:
    """A worker's key, valid from now."""
    return InMemorySigner(wall_ms(), 86_400_000, ENROL.sign)


class Installation:
    """Audit topics under a prefix of their own, logs in them, and sealers on one folder.

    Args:
        kafka: the cluster.
        folder: of the sealer.
        partitions: of ``audit.log``.
    """

    def __init__(self, kafka: KafkaCluster, folder: Path, partitions: int = 2) -> None:
        self.kafka, self.folder = kafka, folder
        self.prefix = f"s{uuid.uuid4().hex[:8]}."
        self.partitions = partitions
        kafka.create_topics(
            {self.topic(log): partitions for log in LOGS}
            | {
                self.topic(t): 1
                for t in (Topic.AUDIT_CONTROL, Topic.AUDIT_CHECKPOINTS, Topic.AUDIT_REQUESTS, Topic.RULES)
            }
        )
        self.keys = SealingKeys((new_entry("2026", wall_ms() - 1_000),))
        self.signer = signer()
        self.writers = {p: self.writer(p) for p in range(partitions)}

    def topic(self, name: str) -> str:
        """A full topic name."""
        return self.prefix + name

    def writer(self, partition: int) -> LogWriter:
        """A log of its own, in the hands of this installation's worker."""
        made = LogWriter(partition)
        made.log.signer = self.signer
        return made

    def send(self, topic: str, partition: int, records: Iterable[Record]) -> None:
        """Write records in one transaction."""
        producer = Producer({"bootstrap.servers": self.kafka.bootstrap, "transactional.id": uuid.uuid4().hex})
        producer.init_transactions(30)
        producer.begin_transaction()
        for is_head, value in records:
            producer.produce(self.topic(topic), value, partition=partition, headers=[HEAD_HEADER] if is_head else [])
        producer.commit_transaction(30)

    def request(self, value: bytes) -> None:
        """Write to ``audit.requests``."""
        self.send(Topic.AUDIT_REQUESTS, 0, [(False, value)])

    def register(self) -> None:
        """The worker's key, as its first batch would."""
        self.request(self.signer.registration)

    def batch(self, partition: int, events: list[int], lost: tuple[int, int] | None = None) -> list[Record]:
        """A batch of a log, written."""
        writer = self.writers[partition]
        before = len(writer.records)
        writer.batch(events, lost=lost)
        new = writer.records[before:]
        self.send(Topic.AUDIT_LOG, partition, new)
        return new

    def begin_epoch(self, opening: Opening, committed: int) -> None:
        """The worker of a partition begins an epoch."""
        writer = self.writers[opening.origin.partition]
        writer.log = AuditLog.begin_epoch(opening, committed, writer.clock)
        writer.log.signer = self.signer
        writer.next = committed

    def sealer(
        self, folder: Path | None = None, key_wait_s: float = 1.0, before: Callable[[Sealer], None] | None = None
    ) -> Sealer:
        """A sealer, started; ``before`` sees it first."""
        kafka = KafkaSettings(bootstrap=self.kafka.bootstrap)
        config = SealerConfig(
            base="localhost/tamis", folder=folder or self.folder, topic=self.topic, enrolment=ENROLMENT,
            interval_s=0.05, key_wait_s=key_wait_s, wall_time=False,
        )  # fmt: skip
        made = Sealer(config, lambda: self.keys, SealerSource(kafka), Publisher(kafka))
        if before is not None:
            before(made)
        made.start()
        return made


def until_quiet(sealer: Sealer, rounds: int = 8) -> None:
    """Rounds until so many in a row bring nothing."""
    quiet = 0
    while quiet < rounds:
        quiet = 0 if sealer.round(0.1) else quiet + 1
    sealer.seal()


def state_of(sealer: Sealer, partition: int = 0) -> tuple[int, str]:
    """Size of a log of ``audit.log`` under its last checkpoint, and the check that ended it, "" for none."""
    place = Topic.AUDIT_LOG.value, partition
    (log,) = [s.log for s in sealer._partitions.values() if (s.log.origin.log, s.log.origin.partition) == place]
    return log.checkpoint.size, log.state.refused
