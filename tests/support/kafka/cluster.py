"""A real Apache Kafka on loopback, one or three combined KRaft nodes, started from Maven jars.

    with KafkaCluster(nodes=3) as kafka:
        kafka.create_topics({"events.raw": 8})
        kafka.kill(2)
        kafka.restart(2)

Rules: free loopback ports below the ephemeral range (a restarted node finds its port free); the log folders are in a
temporary folder that goes away with the cluster; each node is a process group of its own, ended by its own id, also at
interpreter exit. What the broker prints is in `<folder>/n<id>/log.txt`.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.support.kafka.certificate import make_sasl
from tests.support.kafka.jars import find_java, kafka_lib
from tests.support.kafka.properties import HOST, Node, broker_properties

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

CLUSTER_ID = "AAAAAAAAAAAAAAAAAAAAAQ"
START_SECONDS = 90.0
STOP_SECONDS = 30.0
LARGEST_MESSAGE = 16 * 1024 * 1024


class KafkaCluster:
    """One or three Kafka nodes on loopback.

    Args:
        nodes: 1 (replication factor 1) or 3 (replication factor 3, min.insync.replicas 2).
        sasl: also open a SASL_SSL listener with SCRAM-SHA-512 (see `sasl`, `bootstrap_sasl`).
        max_message_bytes: the broker's `message.max.bytes`.
        heap_mb: Java heap of each node, in MiB.
        extra: further broker properties.
    """

    def __init__(
        self,
        nodes: int = 1,
        *,
        sasl: bool = False,
        max_message_bytes: int = LARGEST_MESSAGE,
        heap_mb: int = 768,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        self.java, self.lib = find_java(), kafka_lib()
        self.folder = Path(tempfile.mkdtemp(prefix="tamis-kafka-"))
        self.heap_mb = heap_mb
        ports = iter(free_ports(3 * nodes))
        self.nodes = {
            i: Node(i, next(ports), next(ports), next(ports), self.folder / f"n{i}") for i in range(1, nodes + 1)
        }
        self.sasl = make_sasl(self.folder / "tls") if sasl else None
        self.max_message_bytes = max_message_bytes
        self._extra = dict(extra or {})
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    # -- addresses

    @property
    def bootstrap(self) -> str:
        """`host:port,...` of the plain listeners."""
        return ",".join(f"{HOST}:{n.port}" for n in self.nodes.values())

    @property
    def bootstrap_sasl(self) -> str:
        """`host:port,...` of the SASL_SSL listeners."""
        return ",".join(f"{HOST}:{n.sasl_port}" for n in self.nodes.values())

    # -- life

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Self:
        """Format the log folders, start all nodes and wait until the cluster answers."""
        atexit.register(self.stop)
        try:
            for node in self.nodes.values():
                self._format(node)
            for node in self.nodes.values():
                self._spawn(node)
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End all nodes and remove their folders."""
        for process in self._running.values():
            _signal(process, signal.SIGKILL)
        for process in self._running.values():
            process.wait()
        self._running.clear()
        shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self.stop)

    def kill(self, node_id: int) -> None:
        """SIGKILL one node and wait until it is gone."""
        _signal(self._running[node_id], signal.SIGKILL)
        self._running.pop(node_id).wait()

    def shut_down(self, node_id: int) -> None:
        """Let one node hand over its partitions and end (SIGTERM; SIGKILL after half a minute)."""
        process = self._running.pop(node_id)
        _signal(process, signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            _signal(process, signal.SIGKILL)
            process.wait()

    def restart(self, node_id: int) -> None:
        """Start a node that was killed or shut down, and wait until the whole cluster answers."""
        self._spawn(self.nodes[node_id])
        self.wait_ready()

    def wait_ready(self) -> None:
        """Return once every started node is a member of the cluster.

        Raises:
            RuntimeError: a node ended, or the time is up; the end of its log is in the message.
        """
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            for node_id, process in self._running.items():
                if process.poll() is not None:
                    raise RuntimeError(f"Kafka node {node_id} ended: {self.log_tail(node_id)}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"Kafka not ready: {self.log_tail(next(iter(self._running)))}")
            time.sleep(0.1)

    def log_tail(self, node_id: int) -> str:
        """The last lines a node printed."""
        return (self.nodes[node_id].folder / "log.txt").read_text(errors="replace")[-2000:]

    # -- topics

    def admin(self) -> AdminClient:
        """A confluent_kafka AdminClient on the plain listener."""
        return AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})

    def create_topics(self, partitions: Mapping[str, int], config: Mapping[str, str] | None = None) -> None:
        """Create topics (name: partition count), all with the same topic configuration."""
        wanted = [NewTopic(name, count, config=dict(config or {})) for name, count in partitions.items()]
        admin = self.admin()  # must outlive its futures
        for future in admin.create_topics(wanted, operation_timeout=30).values():
            future.result(60)

    def delete_topics(self, *names: str) -> None:
        """Delete topics."""
        admin = self.admin()
        for future in admin.delete_topics(list(names), operation_timeout=30).values():
            future.result(60)

    def delete_records(self, topic: str, before: Mapping[int, int]) -> None:
        """Remove the records of each partition below an offset, as retention would."""
        partitions = [TopicPartition(topic, p, offset) for p, offset in before.items()]
        admin = self.admin()
        for future in admin.delete_records(partitions).values():
            future.result(60)

    # -- processes

    def _format(self, node: Node) -> None:
        node.folder.mkdir(parents=True, exist_ok=True)
        text = broker_properties(
            node,
            list(self.nodes.values()),
            max_message_bytes=self.max_message_bytes,
            sasl=self.sasl,
            extra=self._extra,
        )
        config = node.folder / "server.properties"
        config.write_text(text)
        scram = []
        if self.sasl:
            user = f"name={self.sasl.username},password={self.sasl.password}"
            scram = ["--add-scram", f"SCRAM-SHA-512=[{user}]"]
        tool = [self.java, "-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp", f"{self.lib}/*", "kafka.tools.StorageTool"]
        command = [*tool, "format", "-t", CLUSTER_ID, "-c", str(config), *scram]
        subprocess.run(command, check=True, capture_output=True)

    def _spawn(self, node: Node) -> None:
        options = [f"-Xmx{self.heap_mb}m", "-Xms256m", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=50"]
        logs = ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true"]
        config = str(node.folder / "server.properties")
        with (node.folder / "log.txt").open("ab") as log:
            self._running[node.id] = subprocess.Popen(
                [self.java, *options, *logs, "-cp", f"{self.lib}/*", "kafka.Kafka", config],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _answers(self) -> bool:
        up = [self.nodes[i] for i in self._running]
        if not all(_accepts(n.port) for n in up):
            return False
        try:
            return len(self.admin().list_topics(timeout=5).brokers) >= len(up)
        except KafkaException:
            return False


def free_ports(count: int) -> list[int]:
    """Distinct loopback ports that are free now and outside the range used for outgoing connections."""
    found: list[int] = []
    for port in random.sample(range(20_000, 32_000), 2_000):
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise RuntimeError("no free ports")


def _accepts(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
