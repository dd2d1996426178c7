"""The privacy agent: ``privacy.requests`` become ``consent.changes``, as consent payloads do.

Rules: changes, quarantine, heartbeats and offset leave in the batch's transaction. Its partitions count among those
that consent must have been heard from: while it stands still consent gets old and intake waits. It is not gated.
Not handled here: what a request does to a record (``domain.consent.privacy``), access (``services.access``).
"""

from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol

from tamis.consent_sources.normalise import Normaliser
from tamis.records.topics import Topic
from tamis.streaming.agents.consent import ConsentConfig, NormaliserRunner
from tamis.streaming.transport.topic import batch_topic


class PrivacyObserver(Protocol):
    """Told after each commit what became of requests."""

    def requested(self, partition: int, counts: Counter[str], clock: int) -> None:
        """A batch of ``privacy.requests`` is committed: see ``Normalised.counts``; ``clock`` in ms."""


class SilentPrivacyObserver:
    """A ``PrivacyObserver`` that ignores everything."""

    def requested(self, partition: int, counts: Counter[str], clock: int) -> None:
        """Ignore."""


def register_privacy_agent(
    app: Any,
    config: ConsentConfig,
    normaliser: Normaliser,
    newer: Callable[[], Normaliser | None],
    observer: PrivacyObserver | None = None,
) -> None:
    """Adds the agent to the app of the consent role.

    Args:
        app: made by ``streaming.app.make_app``.
        config: of the consent agents.
        normaliser: of requests, for the active policy.
        newer: see ``NormaliserRunner``.
        observer: None for none.
    """
    told = (observer or SilentPrivacyObserver()).requested
    requests = batch_topic(
        app, config.topic(Topic.PRIVACY_REQUESTS), empty_every_s=config.empty_every_s, clock_topic=config.clock_topic
    )
    runner = NormaliserRunner(normaliser, newer, config, told)

    @app.agent(requests, name="privacy-normaliser")  # type: ignore[misc]
    async def normalise(stream: Any) -> None:
        await runner.run(stream)
