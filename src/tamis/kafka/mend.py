"""What to do about topics that differ, and what not to do, with the reason; pure.

Rules: see ``plan``. A missing topic is not made while its group stands at another count, or the group would be split.
"""

from collections.abc import Iterable, Mapping

import msgspec

from tamis.kafka.plan import ActualTopic, Difference, Kind, WantedTopic, differences

FREE_GROUP = "any"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is done to one topic: make it, raise its partitions, or set configs."""

    topic: WantedTopic
    create: bool = False
    raise_to: int | None = None
    configs: Mapping[str, str] = {}


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A difference that is left, and why."""

    difference: Difference
    why: str


class Mending(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    doing: tuple[Change, ...]
    refused: tuple[Refusal, ...]


def mend(
    wanted: tuple[WantedTopic, ...],
    actual: Mapping[str, ActualTopic],
    *,
    allow_growth: bool,
    holding: frozenset[str] = frozenset(),
) -> Mending:
    """What to do about the differences.

    Args:
        wanted: all topics.
        actual: by full name.
        allow_growth: raise partition counts of existing topics, whole groups together.
        holding: full names of topics that hold records.
    """
    doing: list[Change] = []
    refused: list[Refusal] = []
    obstacles = {
        group: _obstacle(group, wanted, actual, allow_growth=allow_growth, holding=holding)
        for group in {topic.group for topic in wanted}
    }
    for topic in wanted:
        found = differences([topic], actual)
        if configs := {each.config: each.wanted for each in found if each.kind is Kind.CONFIG}:
            doing.append(Change(topic=topic, configs=configs))
        for difference in found:
            why = _why_not(difference, obstacles[topic.group])
            if why:
                refused.append(Refusal(difference=difference, why=why))
            elif difference.kind is Kind.MISSING:
                doing.append(Change(topic=topic, create=True))
            elif difference.kind is Kind.TOO_FEW:
                doing.append(Change(topic=topic, raise_to=topic.partitions))
    return Mending(doing=tuple(doing), refused=tuple(refused))


def shows(actual: Mapping[str, ActualTopic], change: Change) -> bool:
    """Whether the cluster is as the change left it."""
    found = differences([change.topic], actual)
    if change.configs:
        return not any(each.kind in {Kind.MISSING, Kind.CONFIG} for each in found)
    return not any(each.kind in {Kind.MISSING, Kind.TOO_FEW} for each in found)


def state_topics(wanted: Iterable[WantedTopic], actual: Mapping[str, ActualTopic]) -> tuple[str, ...]:
    """Existing topics whose records would be left behind by growth."""
    return tuple(topic.name for topic in wanted if topic.keeps_state and topic.name in actual)


def _why_not(difference: Difference, obstacle: str | None) -> str | None:
    match difference.kind:
        case Kind.REPLICATION:
            return "copies are moved with kafka-reassign-partitions"
        case Kind.TOO_MANY:
            return "partitions cannot be taken away; set the count in [topics] to what the cluster has"
        case Kind.MISSING if obstacle:
            return "not made while the other topics of its group have another partition count"
        case Kind.TOO_FEW:
            return obstacle
        case _:
            return None


def _obstacle(
    group: str,
    wanted: tuple[WantedTopic, ...],
    actual: Mapping[str, ActualTopic],
    *,
    allow_growth: bool,
    holding: frozenset[str],
) -> str | None:
    """Why the group stays at the counts it has, or None: it is at one count, or may grow to it."""
    members = [topic for topic in wanted if topic.group == group and topic.name in actual]
    above = [topic.name for topic in members if actual[topic.name].partitions > topic.partitions]
    if above and group != FREE_GROUP:
        return f"{', '.join(above)} has more partitions than wanted; mend that first"
    if all(actual[topic.name].partitions >= topic.partitions for topic in members):
        return None
    if not allow_growth:
        return _GROWTH if group != FREE_GROUP else "keys would move to other partitions; use --allow-growth"
    stuck = [topic.name for topic in members if topic.keeps_state and topic.name in holding]
    if stuck:
        return f"the state in {', '.join(stuck)} would stay in its old partitions; begin anew with topics.prefix"
    return None


_GROWTH = (
    "more partitions move keys: order across the change is lost, every new partition begins an audit log of its own, "
    "and all topics of the group must grow together; stop the workers and use --allow-growth"
)
