"""The consent agents: payloads of ``consent.raw`` become ``consent.changes``, these are folded into ``consent.state``.

Rules: changes, quarantine, heartbeats, subject records, retractions, receipts of erasures and offsets leave in the
batch's transaction, so nothing is forgotten that destinations were not told of, nor told and not done; the changelog of
the fold agent's table *is* ``consent.state``, so the table and what replicas follow cannot differ. Neither agent is
gated: consent must flow while intake waits for it. What is remembered of a partition dies with its ownership.
Not handled here: what payloads mean (``consent_sources``), how records merge (``domain.consent``).
"""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import msgspec

from tamis.consent_sources.normalise import Normaliser, NormaliserState
from tamis.domain.audit.requests import Sign, encode_request
from tamis.domain.consent.folding import Folded, Folder, FoldState
from tamis.domain.consent.retraction import Retractor
from tamis.kafka.partitioner import partition_of
from tamis.records.topics import Topic
from tamis.streaming.transport.batch import Batch
from tamis.streaming.transport.topic import batch_topic


class ConsentObserver(Protocol):
    """Told after each commit what became of a batch."""

    def normalised(self, partition: int, counts: Counter[str], clock: int) -> None:
        """A batch of ``consent.raw`` is committed: see ``Normalised.counts``; ``clock`` in ms."""

    def folded(self, partition: int, folded: Folded) -> None:
        """A batch of ``consent.changes`` is committed."""


class SilentObserver:
    """A ``ConsentObserver`` that ignores everything."""

    def normalised(self, partition: int, counts: Counter[str], clock: int) -> None:
        """Ignore."""

    def folded(self, partition: int, folded: Folded) -> None:
        """Ignore."""


def _nothing_newer() -> None:
    return None


class ConsentConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What the agents need besides the core.

    Attributes:
        topic: short name -> full topic name.
        partitions: of ``consent.changes``, ``consent.state`` and ``events.quarantine``.
        empty_every_s: an idle raw partition shows its clock so often, in seconds.
        clock_topic: under record time, full name of the topic that tells the time of idle partitions.
        normaliser: what to go on with under another policy, None to keep the one in use; asked before each batch.
        retractor: likewise, under other destinations or keys.
        sign: with the enrolment key, what is asked of the sealer.
    """

    topic: Callable[[str], str]
    partitions: int
    empty_every_s: float = 5.0
    clock_topic: str | None = None
    normaliser: Callable[[], Normaliser | None] = _nothing_newer
    retractor: Callable[[], Retractor | None] = _nothing_newer
    sign: Sign


class Told(Protocol):
    """``ConsentObserver.normalised``, or what is told of another topic's batches."""

    def __call__(self, partition: int, counts: Counter[str], clock: int, /) -> None:
        """A batch is committed."""


class NormaliserRunner:
    """Writes what the normaliser gives.

    Args:
        normaliser: the pure part.
        newer: what to go on with, None to keep the one in use; asked before each batch.
        config: see ``ConsentConfig``.
        told: after each commit.
    """

    def __init__(
        self, normaliser: Normaliser, newer: Callable[[], Normaliser | None], config: ConsentConfig, told: Told
    ) -> None:
        self._normaliser = normaliser
        self._newer = newer
        self._partitions = config.partitions
        self._changes = config.topic(Topic.CONSENT_CHANGES)
        self._quarantine = config.topic(Topic.EVENTS_QUARANTINE)
        self._told = told

    async def run(self, batches: Any) -> None:
        """Until the stream ends; any exception is a fault and stops the worker."""
        async for batch in batches:
            async with batch:
                self._normaliser = self._newer() or self._normaliser
                self._process(batch)

    def _process(self, batch: Batch) -> None:
        state = batch.local.setdefault("normaliser", NormaliserState())
        assert isinstance(state, NormaliserState)
        found = self._normaliser.batch(batch.partition, batch.records, batch.clock, state)
        for number, records in found.changes.items():
            batch.send(self._changes, records, partition=number)
        if found.quarantine:
            batch.send(self._quarantine, found.quarantine, partition=batch.partition % self._partitions)
        batch.after_commit.append(partial(self._told, batch.partition, found.counts, state.clock))


class FoldRunner:
    """Folds into the table.

    Args:
        folder: the pure part.
        table: its changelog is ``consent.state``.
        config: see ``ConsentConfig``.
        observer: told after each commit.
    """

    def __init__(self, folder: Folder, table: Any, config: ConsentConfig, observer: ConsentObserver) -> None:
        self._folder = folder
        self._table = table
        self._config = config
        self._observer = observer

    async def run(self, batches: Any) -> None:
        """Until the stream ends; any exception is a fault and stops the worker."""
        async for batch in batches:
            async with batch:
                retractor = self._config.retractor()
                if retractor is not None:
                    self._folder.use(retractor)
                self._process(batch)

    def _process(self, batch: Batch) -> None:
        state = batch.local.setdefault("fold", FoldState())
        assert isinstance(state, FoldState)
        folded = self._folder.batch(batch.partition, batch.records, self._table, state)
        topic, partitions = self._config.topic, self._config.partitions
        if folded.retractions:
            batch.send_keyed(topic(Topic.CRM_RETRACTIONS), folded.retractions, partitions)
        if folded.changes:
            batch.send_keyed(topic(Topic.CONSENT_CHANGES), folded.changes, partitions)
        if folded.receipts:
            signed = [(b"", encode_request(receipt, self._config.sign)) for receipt in folded.receipts]
            batch.send(topic(Topic.AUDIT_REQUESTS), signed, partition=0)
        batch.after_commit.append(partial(self._observer.folded, batch.partition, folded))


def register_consent_agents(
    app: Any,
    config: ConsentConfig,
    normaliser: Normaliser,
    fresh_salt: Callable[[], bytes],
    retractor: Retractor,
    observer: ConsentObserver | None = None,
) -> None:
    """Adds both agents and their table to a Faust app.

    Args:
        app: made by ``streaming.app.make_app``.
        config: topics and intervals.
        normaliser: for the active policy.
        fresh_salt: gives 32 random bytes, e.g. ``lambda: secrets.token_bytes(32)``.
        retractor: for the active bundle.
        observer: None for none.
    """
    told = observer or SilentObserver()
    raw = batch_topic(
        app, config.topic(Topic.CONSENT_RAW), empty_every_s=config.empty_every_s, clock_topic=config.clock_topic
    )
    changes = batch_topic(app, config.topic(Topic.CONSENT_CHANGES), empty_every_s=None)
    table = subject_table(app, config)
    normalising = NormaliserRunner(normaliser, config.normaliser, config, told.normalised)
    folding = FoldRunner(Folder(config.partitions, fresh_salt, retractor, partition_of), table, config, told)

    @app.agent(raw, name="consent-normaliser")  # type: ignore[misc]
    async def normalise(stream: Any) -> None:
        await normalising.run(stream)

    @app.agent(changes, name="consent-fold")  # type: ignore[misc]
    async def fold(stream: Any) -> None:
        await folding.run(stream)


def subject_table(app: Any, config: ConsentConfig) -> Any:
    """The table of subject records; its changelog is ``consent.state`` (settings as for Faust's own changelogs)."""
    state = app.topic(
        config.topic(Topic.CONSENT_STATE),
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
        partitions=config.partitions,
        compacting=True,
        acks=False,
        internal=True,
        maxsize=131_072,
        allow_empty=True,
    )
    return app.Table("subjects", partitions=config.partitions, key_type=bytes, value_type=bytes, changelog_topic=state)
