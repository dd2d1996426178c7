"""The topic ``rules`` of a cluster: read whole, or written to.

Rules: a write is acknowledged by all copies before it counts; whoever moved a pointer reads it back, since another one
may have moved it at the same time.
"""

from collections.abc import Iterable

from tamis.bundles.published import Published
from tamis.bundles.publishing import Pair
from tamis.bundles.signing import SIGNING_LABEL, Signer, public_bytes
from tamis.domain.bundle import Bundle
from tamis.kafka.admin import check_topics
from tamis.kafka.loading import Loader, Outgoing
from tamis.kafka.reader import read_topic
from tamis.ports import KeyProvider
from tamis.records.topics import Topic, crm_topic
from tamis.settings import Settings, SetupError

__all__ = ["SIGNING_LABEL", "missing_topics", "read_published", "signer_of", "trusted_keys", "write"]
_CRM = "crm."


def signer_of(keys: KeyProvider) -> Signer:
    """The key pair of whoever holds these keys."""
    return Signer(keys.derive)


def trusted_keys(settings: Settings, keys: KeyProvider) -> tuple[str, ...]:
    """Public keys whose bundles are used: those of the settings, else this installation's own.

    Raises:
        SetupError: the setting holds something that is not a public key.
    """
    listed = tuple(key.strip() for key in settings.rules.trusted_keys.split(",") if key.strip())
    for key in listed:
        if public_bytes(key) is None:
            raise SetupError(f"rules.trusted_keys: {key} is not a public key (tamis rules key prints one)")
    return listed or (signer_of(keys).public,)


def read_published(settings: Settings, keys: KeyProvider) -> Published:
    """What stands in the topic now.

    Raises:
        SetupError: there is no such topic, or the trusted keys are not usable.
        UnreachableError: the cluster does not answer.
    """
    topic = settings.topic(Topic.RULES)
    found = Published(topic, trusted_keys(settings, keys))
    for record in read_topic(settings.kafka, topic):
        found.apply(record.key, record.value)
    return found


def write(settings: Settings, pairs: Iterable[Pair]) -> None:
    """Writes records in order and waits until they are acknowledged."""
    with Loader(settings.kafka, linger_ms=0) as loader:
        loader.load(settings.topic(Topic.RULES), (Outgoing(0, key, value) for key, value in pairs))


def missing_topics(settings: Settings, bundle: Bundle) -> list[str]:
    """What keeps the topics of a bundle's destinations from being written to, one line each.

    Raises:
        UnreachableError: the cluster does not answer.
    """
    named = {settings.topic(destination.topic) for destination in bundle.destinations}
    crm = [crm_topic(each.topic.removeprefix(_CRM)) for each in bundle.destinations if each.topic.startswith(_CRM)]
    return [str(found) for found in check_topics(settings, crm) if found.topic in named]
