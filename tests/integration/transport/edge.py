"""Small apps for the tests of the streaming edge."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tamis.streaming.app import EdgeTuning, make_app
from tamis.streaming.transport.topic import batch_topic

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.kafka.cluster import KafkaCluster

FAST = EdgeTuning(
    session_timeout_s=6.0, heartbeat_s=0.5, rebalance_timeout_s=12.0, request_timeout_s=15.0, linger_s=0.02
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What an agent was handed."""

    topic: str
    partition: int
    first: int
    next: int
    clock: int
    lost: tuple[int, int] | None
    values: tuple[bytes, ...]
    at: float


@dataclass(slots=True)
class Log:
    """Everything the agents of a test were handed, in order."""

    seen: list[Seen] = field(default_factory=list)

    def empties(self, partition: int = 0) -> list[Seen]:
        """Empty batches of a partition."""
        return [s for s in self.seen if s.partition == partition and not s.values]

    def values(self) -> list[bytes]:
        """All record values."""
        return [value for s in self.seen for value in s.values]


def name_for(what: str) -> str:
    """A name no other test uses."""
    return f"{what}-{uuid.uuid4().hex[:8]}"


def topic_with(kafka: KafkaCluster, what: str, partitions: int = 1, **config: str) -> str:
    """Create a topic; returns its name."""
    name = name_for(what)
    kafka.create_topics({name: partitions}, config)
    return name


def edge_app(kafka: KafkaCluster, app_id: str, tmp_path: Path, **options: Any) -> Any:
    """An app on the cluster with short timeouts."""
    settings: dict[str, Any] = {"bootstrap": kafka.bootstrap, "datadir": tmp_path, "tuning": FAST}
    return make_app(app_id, **(settings | options))


def watch(app: Any, topic: str, log: Log, *, copy_to: str | None = None, **policy: Any) -> None:
    """Add an agent that notes what it is handed and may copy it."""

    async def agent(stream: Any) -> None:
        async for batch in stream:
            async with batch:
                if copy_to is not None:
                    batch.send(copy_to, [(r.key, r.value) for r in batch])
                values = tuple(r.value for r in batch)
                where = (batch.topic, batch.partition, batch.first, batch.next, batch.clock, batch.lost)
                log.seen.append(Seen(*where, values, time.time()))

    app.agent(batch_topic(app, topic, **policy), name=f"watch-{topic}")(agent)
