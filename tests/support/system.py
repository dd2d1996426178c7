"""A tamis deployment for tests: its own topic prefix and state folder on a Kafka cluster, its processes under control.

    with System(kafka, tmp_path) as system:
        system.start("replica")
        system.start("worker", "--role", "all")
        system.load("consent.raw", statements)
        system.wait_for_consent()
        system.load("events.raw", events)
        system.wait_for_intake()
        assert system.read_back().sound()

Rules: settings stand in a TOML file that every process is given, with timeouts short enough for tests; topics and keys
are made by the product's own code; a process that ends while a condition is waited for fails the wait with the end of
its log; on leaving, every process is ended by its id, also after a failure. Producers are loaded before they are
counted, so "done" means: committed up to the end of the topic.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from confluent_kafka import Producer

from tamis.cli.topics import configured_crm_topics
from tamis.kafka import admin
from tamis.kafka.loading import GroupProgress, Loader, Outgoing
from tamis.kafka.mend import mend
from tamis.kafka.plan import wanted_topics
from tamis.kafka.reader import TopicRecord, read_topic, topic_ends
from tamis.keys.file import create_key_file
from tamis.records.topics import Topic
from tamis.settings_loader import load_settings
from tamis.stores.consent_view import LmdbConsentView
from tamis.streaming.parts import keyring, load_parts
from tests.support.committed import last_offsets, shows, written
from tests.support.patience import Deadline
from tests.support.process import CHECKOUT, Process
from tests.support.soundness import Findings, read_back

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tamis.settings import Settings
    from tests.support.kafka.cluster import KafkaCluster

LIMIT_S = 120.0
OPEN_S = 90.0  # longer than the transaction timeout
TAIL_CHARS = 4_000

FAST: dict[str, object] = {
    "kafka.session_timeout_s": 6.0,
    "kafka.heartbeat_s": 1.0,
    "kafka.rebalance_timeout_s": 20.0,
    "kafka.request_timeout_s": 30.0,
    "consent.heartbeat_s": 1.0,
    "worker.empty_batch_interval_s": 1.0,
    "worker.restart_max_s": 2.0,
    "worker.crash_limit": 50,
}


def configured(folder: Path, hold: str) -> Path:
    """The reference configuration in a folder of its own, with another way to hold events."""
    shutil.copytree(CHECKOUT / "config" / "reference", folder)
    with (folder / "policy.yaml").open("a") as policy:
        policy.write(f"\nhold: {hold}\n")
    return folder


def now_ms() -> int:
    """Wall clock, ms."""
    return time.time_ns() // 1_000_000


class System:
    """A deployment; use as a context manager.

    Args:
        kafka: the cluster.
        folder: for settings, state and logs.
        options: settings that differ from `FAST` ("consent.max_age_s": 6.0).
        raw_partitions: partitions of `events.raw`.
        hold: what the policy says of events whose subject has not decided, as YAML; decided at once by default, since
            what becomes of events must follow from what was sent.
    """

    def __init__(
        self, kafka: KafkaCluster, folder: Path, options: dict[str, object] | None = None, *, raw_partitions: int = 8,
        hold: str = "none",
    ) -> None:  # fmt: skip
        self.kafka, self.folder = kafka, folder
        self.prefix = f"s{uuid.uuid4().hex[:8]}."
        self.processes: list[Process] = []
        self._next_offsets: list[int] = []
        self._turn = -1
        self._sending = threading.Lock()
        self._producer = Producer(
            {
                "bootstrap.servers": kafka.bootstrap,
                "enable.idempotence": True,
                "compression.codec": "lz4",
                "message.max.bytes": 16 << 20,
                "log_level": 0,
            }
        )
        copies = len(kafka.nodes)
        values = FAST | {
            "kafka.bootstrap": kafka.bootstrap,
            "topics.prefix": self.prefix,
            "topics.raw_partitions": raw_partitions,
            "topics.replication": copies,
            "topics.min_insync_replicas": 2 if copies > 1 else 1,
            "paths.state_dir": str(folder / "state"),
            "rules.folder": str(configured(folder / "config", hold)),
        }
        self.settings_file = folder / "tamis.toml"
        self._write_settings(values | (options or {}))
        self.settings: Settings = load_settings(str(self.settings_file), {}).settings

    def _write_settings(self, values: dict[str, object]) -> None:
        groups: dict[str, list[str]] = {}
        for name, value in sorted(values.items()):
            group, _, key = name.partition(".")
            groups.setdefault(group, []).append(f"{key} = {json.dumps(value)}")
        text = "\n\n".join("\n".join([f"[{group}]", *lines]) for group, lines in groups.items())
        self.folder.mkdir(parents=True, exist_ok=True)
        self.settings_file.write_text(text + "\n")

    def __enter__(self) -> Self:
        create_key_file(Path(self.settings.keys_path()), now_ms=now_ms())
        self.apply_topics()
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self.processes):
            if process.exit_code() is None:
                process.kill()

    def topic(self, name: str) -> str:
        """Full name of a topic."""
        return self.settings.topic(name)

    def apply_topics(self) -> None:
        """What `tamis topics apply` does."""
        wanted = wanted_topics(self.settings, configured_crm_topics(self.settings))
        actual = admin.actual_topics(self.settings.kafka, wanted)
        admin.apply(self.settings.kafka, mend(wanted, actual, allow_growth=False).doing)

    # -- processes

    def command(self, *arguments: str) -> list[str]:
        """Command line of `tamis ARGUMENTS` under this system's settings."""
        return [sys.executable, "-m", "tamis.cli.main", "--settings", str(self.settings_file), *arguments]

    def start(self, *arguments: str, under: Sequence[str] = ()) -> Process:
        """Start `tamis ARGUMENTS`; `under` is a program that starts it, such as `prlimit`."""
        name = " ".join(arguments)
        log = self.folder / f"{len(self.processes):02}-{arguments[0]}.log"
        process = Process(name, [*under, *self.command(*arguments)], log)
        self.processes.append(process)
        return process

    def run(self, *arguments: str, seconds: float = LIMIT_S) -> subprocess.CompletedProcess[str]:
        """Run `tamis ARGUMENTS` to its end."""
        return subprocess.run(
            self.command(*arguments), cwd=CHECKOUT, capture_output=True, text=True, timeout=seconds, check=False
        )

    # -- waiting

    def wait_until(self, condition: Callable[[], bool], what: str, seconds: float = LIMIT_S) -> None:
        """Wait for a condition.

        Raises:
            AssertionError: a process ended meanwhile; with the ends of all logs.
            TimeoutError: it did not come true in time; with the same.
        """
        deadline = Deadline(seconds)
        while not condition():
            for process in self.processes:
                code = process.exit_code()
                if code is not None and not process.stopped:
                    raise AssertionError(f"{process.name} ended with {code} while waiting for {what}\n{self.tails()}")
            deadline.check(f"{what}\n{self.tails()}")
            time.sleep(0.1)

    def tails(self) -> str:
        """The end of every log."""
        return "\n".join(f"--- {process.name}\n{process.said()[-TAIL_CHARS:]}" for process in self.processes)

    def wait_for_consent(self, since_ms: int | None = None, seconds: float = LIMIT_S) -> None:
        """Wait until the replica knows all consent that was received before `since_ms` (None: now)."""
        since = now_ms() if since_ms is None else since_ms
        with self.consent() as view:

            def known() -> bool:
                now = now_ms()
                return view.caught_up() and now - view.age(now) * 1000 > since

            self.wait_until(known, "consent in the replica", seconds)

    @contextlib.contextmanager
    def consent(self) -> Iterator[LmdbConsentView]:
        """The replica as a worker reads it; only one at a time."""
        view = LmdbConsentView(Path(self.settings.replica_path()))
        try:
            yield view
        finally:
            view.close()

    def group(self, role: str) -> str:
        """Consumer group of a role, which is also its Faust app id."""
        return f"{self.prefix}{self.settings.worker.app_id}-{role}"

    def progress(self, role: str = "intake", topic: str = Topic.EVENTS_RAW) -> GroupProgress:
        """Committed offsets of a role's group on one of its input topics."""
        partitions = len(topic_ends(self.settings.kafka, self.topic(topic)))
        return GroupProgress(self.settings.kafka, self.group(role), self.topic(topic), partitions)

    def wait_for_intake(self, seconds: float = LIMIT_S) -> None:
        """Wait until every event written so far is decided and committed."""
        ends = [end for _, end in sorted(topic_ends(self.settings.kafka, self.topic(Topic.EVENTS_RAW)).items())]
        with contextlib.closing(self.progress()) as progress:
            reached: list[list[int]] = [[]]

            def done() -> bool:
                reached[0] = progress.committed() or reached[0]
                return bool(reached[0]) and all(at >= end for at, end in zip(reached[0], ends, strict=True))

            try:
                self.wait_until(done, "intake", seconds)
            except (AssertionError, TimeoutError) as error:
                raise type(error)(f"{error}\ncommitted {reached[0]} of {ends}") from None

    def wait_for_counts(self, seconds: float = LIMIT_S) -> None:
        """Wait until every partial count written so far is in a window, closed or open."""
        self.wait_for_open_transactions(Topic.METRICS_PARTIALS)
        last = last_offsets(self.settings.kafka, self.topic(Topic.METRICS_PARTIALS))
        with contextlib.closing(self.progress("metrics", Topic.METRICS_PARTIALS)) as progress:

            def done() -> bool:
                reached = progress.committed() or []
                return bool(reached) and all(reached[partition] > offset for partition, offset in last.items())

            self.wait_until(done, "the window agent", seconds)

    def wait_for_open_transactions(self, topic: str) -> None:
        """Wait until all that was written so far is committed or aborted: an open transaction hides what follows."""
        kafka, name = self.settings.kafka, self.topic(topic)
        ends = written(kafka, name)
        self.wait_until(lambda: shows(kafka, name, ends), f"open transactions in {topic}", OPEN_S)

    # -- records

    def send(self, values: Iterable[bytes | None], headers: Sequence[tuple[str, bytes]] = ()) -> list[tuple[int, int]]:
        """Write events round robin, the only writer of `events.raw`; gives the partition and offset of each."""
        partitions, topic = self.settings.topics.raw_partitions, self.topic(Topic.EVENTS_RAW)
        places = []
        with self._sending:
            if not self._next_offsets:
                ends = topic_ends(self.settings.kafka, topic)
                self._next_offsets = [ends[partition] for partition in range(partitions)]
            for value in values:
                partition = self._turn = (self._turn + 1) % partitions
                self._produce(topic, value, partition, list(headers))
                places.append((partition, self._next_offsets[partition]))
                self._next_offsets[partition] += 1
            assert self._producer.flush(120) == 0
        return places

    def _produce(self, topic: str, value: bytes | None, partition: int, headers: list[tuple[str, bytes]]) -> None:
        while True:
            try:
                self._producer.produce(topic, value, partition=partition, headers=headers)
            except BufferError:
                self._producer.poll(0.05)
            else:
                return

    def say(self, *statements: bytes) -> None:
        """Write consent statements."""
        self.load(Topic.CONSENT_RAW, (Outgoing(0, None, statement) for statement in statements))

    def leaves(self) -> dict[tuple[int, int, int], dict[str, Any]]:
        """All leaves of the audit log by source position; a position that has two is an error."""
        found: dict[tuple[int, int, int], dict[str, Any]] = {}
        for value in self.values(Topic.AUDIT_LOG):
            if "src" in value:
                place = (value["src"]["p"], value["src"]["o"], value["src"]["i"])
                assert place not in found, f"two leaves for {place}"
                found[place] = value
        return found

    def load(self, topic: str, records: Iterable[Outgoing]) -> int:
        """Write records and wait for their acknowledgement; gives their number."""
        with Loader(self.settings.kafka) as loader:
            return loader.load(self.topic(topic), records)

    def read(self, topic: str) -> Iterator[TopicRecord]:
        """All committed records of a topic, those in open transactions waited for."""
        self.wait_for_open_transactions(topic)
        return read_topic(self.settings.kafka, self.topic(topic))

    def read_back(self) -> Findings:
        """Everything this system wrote, checked."""
        parts = load_parts(self.settings)
        destinations = [destination.topic for destination in parts.bundle.destinations]
        logs = Topic.AUDIT_LOG, Topic.AUDIT_HELD, Topic.AUDIT_HELD_LAST
        counts = Topic.METRICS_WINDOWS, Topic.METRICS_ROLLUPS, Topic.METRICS_OPEN
        for topic in (*logs, *destinations, *counts):
            self.wait_for_open_transactions(topic)
        return read_back(self.settings, parts.bundle, keyring(parts))

    def values(self, topic: str) -> list[dict[str, Any]]:
        """All committed values of a topic that holds JSON."""
        return [json.loads(record.value) for record in self.read(topic) if record.value]
