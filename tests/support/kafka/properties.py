"""What a test broker is configured with: one KRaft node that is broker and controller at once.

Three nodes mean replication factor 3 and min.insync.replicas 2, so that one may be killed. Everything listens on
loopback only. Internal topics have eight partitions: enough to spread coordinators over the nodes.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Node:
    """One node: its id (from 1), its ports and its folder."""

    id: int
    port: int
    sasl_port: int
    controller_port: int
    folder: Path


@dataclass(frozen=True, slots=True)
class Sasl:
    """The SASL_SSL listener: SCRAM-SHA-512 user and the PEM files of the self-signed certificate."""

    keystore: Path
    ca: Path
    username: str = "tamis-test"
    password: str = field(default_factory=lambda: secrets.token_hex(12), repr=False)


def broker_properties(
    node: Node,
    nodes: Sequence[Node],
    *,
    max_message_bytes: int,
    sasl: Sasl | None,
    extra: Mapping[str, str],
) -> str:
    """The text of `server.properties` for `node` in the cluster `nodes`."""
    settings = _addresses(node, nodes, sasl=sasl is not None)
    settings |= _replication(len(nodes))
    settings |= _limits(max_message_bytes)
    settings["log.dirs"] = str(node.folder / "log")
    if sasl:
        settings |= _sasl(sasl)
    settings |= extra
    return "".join(f"{key}={value}\n" for key, value in settings.items())


def _addresses(node: Node, nodes: Sequence[Node], *, sasl: bool) -> dict[str, str]:
    clients = [f"PLAINTEXT://{HOST}:{node.port}"]
    if sasl:
        clients.append(f"SASL_SSL://{HOST}:{node.sasl_port}")
    return {
        "process.roles": "broker,controller",
        "node.id": str(node.id),
        "controller.quorum.voters": ",".join(f"{n.id}@{HOST}:{n.controller_port}" for n in nodes),
        "controller.listener.names": "CONTROLLER",
        "listeners": ",".join([*clients, f"CONTROLLER://{HOST}:{node.controller_port}"]),
        "advertised.listeners": ",".join(clients),
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL",
        "inter.broker.listener.name": "PLAINTEXT",
    }


def _replication(nodes: int) -> dict[str, str]:
    factor, in_sync = (str(nodes), str(max(1, nodes - 1)))
    return {
        "default.replication.factor": factor,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": factor,
        "offsets.topic.num.partitions": "8",
        "transaction.state.log.replication.factor": factor,
        "transaction.state.log.min.isr": in_sync,
        "transaction.state.log.num.partitions": "8",
        "share.coordinator.state.topic.replication.factor": factor,
        "share.coordinator.state.topic.min.isr": in_sync,
        # A busy machine must not fence the only broker; three take over from each other, so that has to be noticed.
        "broker.session.timeout.ms": "60000" if nodes == 1 else "9000",
    }


def _limits(max_message_bytes: int) -> dict[str, str]:
    return {
        "num.partitions": "8",
        "message.max.bytes": str(max_message_bytes),
        "replica.fetch.max.bytes": str(max_message_bytes),
        "group.initial.rebalance.delay.ms": "300",
        "transaction.max.timeout.ms": "900000",
        "auto.create.topics.enable": "false",
        "unclean.leader.election.enable": "false",
        "log.cleaner.dedupe.buffer.size": "33554432",
        "log.cleaner.threads": "1",
        "num.network.threads": "2",
        "num.io.threads": "4",
    }


def _sasl(sasl: Sasl) -> dict[str, str]:
    module = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    return {
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(sasl.keystore),
        "ssl.client.auth": "none",
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": module,
    }
