"""What the consent role is made of under one bundle and key ring: normalisers of its two inputs, and the retractor.

Rules: everything that follows from policy, destinations or keys is made anew together when one of them changes.
"""

import secrets
from collections.abc import Callable
from typing import Any, TypeVar

from tamis.bundles.consent_reader import consent_reader
from tamis.consent_sources.keying import Keying
from tamis.consent_sources.normalise import Changes, Door, Normaliser, Reader
from tamis.consent_sources.privacy import REQUEST_KEY, RequestKeying, RequestReader
from tamis.domain.audit.requests import ENROLMENT_LABEL, enrolment_key
from tamis.domain.bundle import Bundle
from tamis.domain.consent.fold import SALT_BYTES
from tamis.domain.consent.retraction import Retractor
from tamis.domain.keyring import Keyring
from tamis.kafka.partitioner import partition_of
from tamis.records.topics import Topic
from tamis.streaming.agents.consent import ConsentConfig, ConsentObserver, register_consent_agents
from tamis.streaming.agents.privacy import PrivacyObserver, register_privacy_agent
from tamis.streaming.parts import Parts, keyring, nobody_told
from tamis.streaming.switch import Switch

Made = TypeVar("Made")


class ConsentRole:
    """Makes the parts of the consent role.

    Args:
        parts: of the process.

    Raises:
        SetupError: the mappings cannot be used, or there is no such source.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._reader = consent_reader(parts.settings)
        self._inputs = parts.settings.topics.consent_raw_partitions  # of each of the two topics
        # Under record time a topic that nobody ever wrote to has no time, and consent would never be known to be fresh.
        self._both = parts.settings.worker.time_source == "broker"

    def statements(self, bundle: Bundle) -> Normaliser:
        """For ``consent.raw``."""
        ring = keyring(self._parts, bundle)
        door = Door(topic=Topic.CONSENT_RAW.value, of=2 * self._inputs if self._both else self._inputs)
        return self._normaliser(self._reader, Keying(bundle.policy, ring.subjects), door, ring)

    def requests(self, bundle: Bundle) -> Normaliser:
        """For ``privacy.requests``, whose partitions count after those of ``consent.raw``, but for record time."""
        ring, policy = keyring(self._parts, bundle), bundle.policy
        door = Door(
            topic=Topic.PRIVACY_REQUESTS.value, stage="privacy", noted="requests", first=self._inputs,
            of=2 * self._inputs if self._both else 0,
        )  # fmt: skip
        reader = RequestReader(self._parts.keys.derive(REQUEST_KEY), policy)
        return self._normaliser(reader, RequestKeying(policy, ring.subjects), door, ring)

    def retractor(self, bundle: Bundle) -> Retractor:
        """Of the bundle's destinations, for all live epochs."""
        return Retractor(bundle, keyring(self._parts, bundle).live_pseudonyms)

    def _normaliser(self, reader: Reader, keying: Changes, door: Door, ring: Keyring) -> Normaliser:
        partitions = self._parts.settings.topics.raw_partitions
        return Normaliser(reader, keying, ring.sealer, door=door, partitions=partitions, partition_of=partition_of)


def fill_consent_app(
    parts: Parts, app: Any, observer: ConsentObserver | None = None, requests: PrivacyObserver | None = None
) -> Any:
    """Adds the consent role to its app: ``consent.raw`` and ``privacy.requests`` to ``consent.state``."""
    settings, role = parts.settings, ConsentRole(parts)

    def switch(make: Callable[[Bundle], Made]) -> Switch[Made]:
        return Switch(parts.selection(), lambda selection, _: make(selection.active), nobody_told, parts.ring)

    statements, asked, retractor = switch(role.statements), switch(role.requests), switch(role.retractor)
    config = ConsentConfig(
        topic=settings.topic,
        partitions=settings.topics.raw_partitions,
        empty_every_s=settings.consent.heartbeat_s,
        clock_topic=settings.topic(Topic.EVENTS_RAW),
        normaliser=statements.newer,
        retractor=retractor.newer,
        sign=enrolment_key(parts.keys.derive(ENROLMENT_LABEL)).sign,
    )
    register_consent_agents(
        app, config, statements.made, lambda: secrets.token_bytes(SALT_BYTES), retractor.made, observer
    )
    register_privacy_agent(app, config, asked.made, asked.newer, requests)
    return app
