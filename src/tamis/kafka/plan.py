"""What the topics of a cluster must be like, and how they differ from that; pure, the cluster is an argument.

Rules: nothing is ever shrunk or deleted. Partition counts are exact where a number in one topic means the same number
in another, since order, co-partitioning and one audit log per partition rest on it. More partitions move keys: a group
grows together or not at all, only on request, and not while a topic of it holds compacted state, which would stay
behind. Replication is reported, not changed: Kafka's own tools move replicas. What to do about differences: ``mend``.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

import msgspec

from tamis.records.topics import CATALOGUE, TopicSpec
from tamis.settings import Settings

CLEANUP = "cleanup.policy"
TIMESTAMP_TYPE = "message.timestamp.type"
_BLOCKING_CONFIGS = frozenset({CLEANUP, TIMESTAMP_TYPE})
_EXACT_GROUPS = frozenset({"raw", "metrics", "one"})


class Kind(StrEnum):
    """How a topic differs."""

    MISSING = "missing"
    TOO_FEW = "too few partitions"
    TOO_MANY = "too many partitions"
    CONFIG = "config"
    REPLICATION = "replication"


class WantedTopic(msgspec.Struct, frozen=True, kw_only=True):
    """What a topic must be like; ``group`` as in ``TopicSpec.partitions``, ``name`` with prefix."""

    name: str
    group: str
    partitions: int
    replication: int
    config: Mapping[str, str]

    @property
    def keeps_state(self) -> bool:
        """Whether the last record of each key is kept for good."""
        return self.config[CLEANUP] == "compact"


class ActualTopic(msgspec.Struct, frozen=True, kw_only=True):
    """A topic as it is; ``config`` is None where the broker does not tell (the embedded one)."""

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str] | None


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One difference.

    Attributes:
        topic: full name.
        kind: see ``Kind``.
        wanted: what it must be, as text.
        actual: what it is, as text.
        config: name of the config, "" for others.
        blocks: a worker must not start.
    """

    topic: str
    kind: Kind
    wanted: str
    actual: str
    config: str = ""
    blocks: bool = True

    def __str__(self) -> str:
        if self.kind is Kind.MISSING:
            return f"topic {self.topic} is missing ({self.wanted})"
        what = self.config or ("copies" if self.kind is Kind.REPLICATION else "partitions")
        return f"topic {self.topic}: {what}: is {self.actual}, must be {self.wanted}"


def wanted_topics(settings: Settings, crm: Iterable[TopicSpec] = ()) -> tuple[WantedTopic, ...]:
    """All topics of an installation.

    Args:
        settings: counts, prefix, replication and time source.
        crm: the topics of the configured destinations; those in the catalogue are not taken twice.
    """
    fixed = {spec.name for spec in CATALOGUE}
    return tuple(_wanted(settings, spec) for spec in [*CATALOGUE, *(spec for spec in crm if spec.name not in fixed)])


def _wanted(settings: Settings, spec: TopicSpec) -> WantedTopic:
    topics = settings.topics
    counts = {"raw": topics.raw_partitions, "metrics": topics.metrics_partitions, "one": 1}
    config = dict(spec.config) | {"min.insync.replicas": str(topics.min_insync_replicas)}
    if spec.role == "input":
        config[TIMESTAMP_TYPE] = "LogAppendTime" if settings.worker.time_source == "broker" else "CreateTime"
    return WantedTopic(
        name=settings.topic(spec.name),
        group=spec.partitions,
        partitions=counts.get(spec.partitions, topics.consent_raw_partitions),
        replication=topics.replication,
        config=config,
    )


def differences(wanted: Iterable[WantedTopic], actual: Mapping[str, ActualTopic]) -> tuple[Difference, ...]:
    """Every difference, in the order of ``wanted``; topics that nobody asked for are left alone."""
    return tuple(found for topic in wanted for found in _compare(topic, actual.get(topic.name)))


def _compare(wanted: WantedTopic, actual: ActualTopic | None) -> Iterator[Difference]:
    if actual is None:
        shape = f"{wanted.partitions} partitions, {wanted.config[CLEANUP]}"
        yield Difference(topic=wanted.name, kind=Kind.MISSING, wanted=shape, actual="missing")
        return
    exact = wanted.group in _EXACT_GROUPS
    if actual.partitions < wanted.partitions or (exact and actual.partitions > wanted.partitions):
        kind = Kind.TOO_FEW if actual.partitions < wanted.partitions else Kind.TOO_MANY
        yield Difference(
            topic=wanted.name, kind=kind, wanted=f"{wanted.partitions}", actual=f"{actual.partitions}", blocks=exact
        )
    if actual.replication < wanted.replication:
        yield Difference(
            topic=wanted.name,
            kind=Kind.REPLICATION,
            wanted=f"{wanted.replication}",
            actual=f"{actual.replication}",
            blocks=False,
        )
    yield from _configs(wanted, actual.config)


def _configs(wanted: WantedTopic, actual: Mapping[str, str] | None) -> Iterator[Difference]:
    for name, value in wanted.config.items() if actual is not None else ():
        found = actual.get(name, "") if actual is not None else ""
        if _words(found) != _words(value):
            yield Difference(
                topic=wanted.name,
                kind=Kind.CONFIG,
                config=name,
                wanted=value,
                actual=found,
                blocks=name in _BLOCKING_CONFIGS,
            )


def _words(value: str) -> frozenset[str]:
    return frozenset(value.split(","))
