"""Topics of a real cluster: look, compare, mend.

Rules: what to do is decided in ``plan``; here it is only done, one request a kind of change, and every failure is told
with its topic. A broker without topic administration (the embedded one) can be looked at: names and partition counts.
"""

import time
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
)

from tamis.kafka.clients import confluent_config, is_embedded
from tamis.kafka.mend import Change, shows
from tamis.kafka.plan import ActualTopic, Difference, WantedTopic, differences, wanted_topics
from tamis.kafka.reader import topic_ends
from tamis.records.topics import TopicSpec
from tamis.settings import KafkaSettings, Settings, SetupError, UnreachableError

_TIMEOUT_S = 30.0
_LOOK_EVERY_S = 0.1


def check_topics(settings: Settings, crm: Iterable[TopicSpec] = ()) -> list[Difference]:
    """What keeps a worker from starting: topics that are missing or wrong. Empty: it may start.

    Args:
        settings: counts, prefix, connection.
        crm: topics of the configured destinations.

    Raises:
        UnreachableError: the cluster does not answer.
    """
    wanted = wanted_topics(settings, crm)
    return [found for found in differences(wanted, actual_topics(settings.kafka, wanted)) if found.blocks]


def actual_topics(
    kafka: KafkaSettings, wanted: Iterable[WantedTopic], *, timeout_s: float = _TIMEOUT_S
) -> dict[str, ActualTopic]:
    """The wanted topics as the cluster has them; those it does not have are left out.

    Raises:
        UnreachableError: the cluster does not answer.
    """
    admin = AdminClient(confluent_config(kafka))
    cluster = _metadata(kafka, admin, timeout_s)
    known = cluster.topics
    names = [topic.name for topic in wanted if topic.name in known and known[topic.name].partitions]
    configs = None if is_embedded(cluster.cluster_id) else _configs(admin, names, timeout_s)
    return {
        name: ActualTopic(
            name=name,
            partitions=len(known[name].partitions),
            replication=min(len(partition.replicas) for partition in known[name].partitions.values()),
            config=configs[name] if configs is not None else None,
        )
        for name in names
    }


def holding_records(kafka: KafkaSettings, names: Iterable[str]) -> frozenset[str]:
    """Those of the topics that were ever written to."""
    return frozenset(name for name in names if any(topic_ends(kafka, name).values()))


def apply(kafka: KafkaSettings, doing: Iterable[Change]) -> None:
    """Carry out changes (new topics, then partitions, then configs) and wait until the cluster shows them.

    Raises:
        SetupError: the cluster refuses one; its name and the reason are in the message.
        UnreachableError: it does not answer, or does not show them.
    """
    admin = AdminClient(confluent_config(kafka))
    todo = list(doing)
    if todo and is_embedded(_metadata(kafka, admin, _TIMEOUT_S).cluster_id):
        raise SetupError("the embedded broker has no topic administration: its topics are made when it starts")
    new = [
        NewTopic(
            change.topic.name,
            num_partitions=change.topic.partitions,
            replication_factor=change.topic.replication,
            config=dict(change.topic.config),
        )
        for change in todo
        if change.create
    ]
    more = [NewPartitions(change.topic.name, change.raise_to) for change in todo if change.raise_to is not None]
    if new:
        _wait("make topic", admin.create_topics(new, operation_timeout=_TIMEOUT_S))
    if more:
        _wait("raise the partitions of", admin.create_partitions(more, operation_timeout=_TIMEOUT_S))
    if resources := [_resource(change) for change in todo if change.configs]:
        futures = admin.incremental_alter_configs(resources)
        _wait("set configs of", {resource.name: future for resource, future in futures.items()})
    _until_shown(kafka, todo)


def _until_shown(kafka: KafkaSettings, todo: list[Change]) -> None:
    """A controller answers a moment before the brokers know."""
    deadline = time.monotonic() + _TIMEOUT_S
    while not all(map(partial(shows, actual_topics(kafka, [change.topic for change in todo])), todo)):
        if time.monotonic() > deadline:
            raise UnreachableError("the changes were made, but the cluster does not show them yet")
        time.sleep(_LOOK_EVERY_S)


def _resource(change: Change) -> ConfigResource:
    entries = [
        ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in change.configs.items()
    ]
    return ConfigResource(ResourceType.TOPIC, change.topic.name, incremental_configs=entries)


def _wait(doing: str, futures: Mapping[str, Any]) -> None:
    problems = []
    for name, future in futures.items():
        try:
            future.result(_TIMEOUT_S * 2)
        except KafkaException as error:
            problems.append(f"cannot {doing} {name}: {error.args[0].str()}")
        except TimeoutError:
            raise UnreachableError(f"cannot {doing} {name}: no answer") from None
    if problems:
        raise SetupError("\n".join(problems))


def _metadata(kafka: KafkaSettings, admin: Any, timeout_s: float) -> Any:
    try:
        return admin.list_topics(timeout=timeout_s)
    except KafkaException as error:
        raise UnreachableError(f"the cluster {kafka.bootstrap} does not answer: {error.args[0].str()}") from None


def _configs(admin: Any, names: list[str], timeout_s: float) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    futures = admin.describe_configs([ConfigResource(ResourceType.TOPIC, name) for name in names])
    found: dict[str, dict[str, str]] = {}
    for resource, future in futures.items():
        try:
            entries = future.result(timeout_s)
        except KafkaException as error:
            raise SetupError(f"cannot read the configs of {resource.name}: {error.args[0].str()}") from None
        except TimeoutError:
            raise UnreachableError(f"cannot read the configs of {resource.name}: no answer") from None
        found[resource.name] = {name: entry.value or "" for name, entry in entries.items()}
    return found
