"""The sealer: follows the audit logs, signs what is committed, sequences ``audit.control``, exports tiles.

Rules: one round reads, checks, and, every interval, seals: control first, then each log that grew; of two sealers on
one store one signs, the other ends; a partition whose topic no longer holds what was sealed is refused; a batch whose
worker key is not registered yet waits a while, its partition with it; published rules are kept beside the logs, since
leaves cite them. One thread; what blocks is bounded.
Not handled: witnesses and anchors (``sealer_outside``), restarts (the supervisor).
"""

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import structlog

from tamis.domain.audit.checkpoint import Checkpoint
from tamis.domain.audit.control import decode_control
from tamis.domain.audit.note import Note
from tamis.domain.audit.origin import LogOrigin
from tamis.domain.audit.report import Check
from tamis.kafka.reader import TopicRecord
from tamis.kafka.sealing import Bounds, Place, Publisher, SealerSource
from tamis.keys.sealer import SealingKeys
from tamis.records.topics import Topic
from tamis.services.cited_rules import keep_rules, published_sources
from tamis.services.log_sealer import ControlSealer, LogSealer
from tamis.services.partition_reader import Flow, PartitionReader
from tamis.services.sealer_config import LOGS, STATE_FOLDER, SealerConfig, SealerObserver
from tamis.services.sequencer import Sequencer
from tamis.settings import SetupError
from tamis.stores.sealer_store import SealerStore


def wall_ms() -> int:
    """Now, ms."""
    return time.time_ns() // 1_000_000


class Sealer:
    """One sealer; ``run`` it, or call ``round`` by hand.

    Args:
        config: see ``SealerConfig``.
        keys: the sealing keys as they are now.
        source: reads the topics.
        publisher: writes checkpoints and control.
        observer: told what happens; None tells nobody.
        now: ms, wall clock.

    Attributes:
        on_checkpoint: called with each signed checkpoint, after it was published.
        on_round: called at the end of each round.
    """

    def __init__(
        self, config: SealerConfig, keys: Callable[[], SealingKeys], source: SealerSource, publisher: Publisher,
        observer: SealerObserver | None = None, now: Callable[[], int] = wall_ms,
    ) -> None:  # fmt: skip
        self._config, self._keys, self._source, self._publisher = config, keys, source, publisher
        self._observer, self._now = observer, now
        self._say = structlog.get_logger("tamis.sealer")
        self._store = SealerStore(config.folder / STATE_FOLDER)
        self._root = config.folder
        self.control = ControlSealer(config.base, self._root, self._store, Topic.AUDIT_CONTROL.value)
        self.sequencer = Sequencer(self.control.origin, self._store, config.enrolment, tuple(LOGS), now)
        self._short = {config.topic(log): log for log in LOGS}
        self._requests, self._rules = (config.topic(Topic.AUDIT_REQUESTS), 0), (config.topic(Topic.RULES), 0)
        self._others: dict[Place, Callable[[TopicRecord], object]] = {
            self._requests: lambda record: self.sequencer.take(record.value or b"", record.offset),
            self._rules: lambda record: keep_rules(self._root, published_sources([record])),
        }
        self._partitions: dict[Place, PartitionReader] = {}
        self._told_kinds: dict[str, int] = {}
        self._sealed_at = 0.0
        self._signs_with = keys()
        self.on_checkpoint: list[Callable[[Checkpoint, Note], None]] = []
        self.on_round: list[Callable[[], None]] = []

    def start(self) -> None:
        """Look at all topics and begin to read; finish what a crash left undone.

        Raises:
            SetupError: a topic is missing, or ``audit.requests`` holds less than was read of it.
        """
        self._publish_control_again()
        self.sequencer.publish_keys(self._keys())
        positions: dict[Place, int] = {}
        for topic, log in self._short.items():
            for partition in self._source.partitions(topic):
                place = topic, partition
                state = self._partitions[place] = self._open(log, partition)
                at = state.begin(self._source.bounds(place))
                if at is not None:
                    positions[place] = at
        for topic, _ in self._others:
            self._source.partitions(topic)
        positions[self._requests] = self._requests_from(self._source.bounds(self._requests))
        positions[self._rules] = self._source.bounds(self._rules).low  # compacted: all that leaves may cite
        self._source.start(positions)
        self._publish_again()

    def run(self, stopped: Callable[[], bool]) -> None:
        """Rounds until ``stopped``."""
        while not stopped():
            self.round(0.2)
        self.seal()

    def round(self, timeout_s: float) -> int:
        """Read, check, and seal when it is time; the number of records read."""
        polled = self._source.poll(timeout_s)
        for place in polled.lost:
            state = self._partitions.get(place)
            if state is None:  # read again what is left; what changes nothing is passed over
                self._source.seek(place, self._source.bounds(place).low)
            else:
                self._do(place, state.refuse(Check.BEGINNING, "records were deleted before they were read"))
        for record in polled.records:
            take = self._others.get((record.topic, record.partition))
            if take is not None:
                take(record)
        for record in polled.records:
            place = record.topic, record.partition
            state = self._partitions.get(place)
            if state is not None:
                flow = state.feed(record)
                if flow is not Flow.ON:
                    self._do(place, flow)
        self._look_again()
        if time.monotonic() - self._sealed_at >= self._config.interval_s:
            self.seal()
        for follow in self.on_round:
            follow()
        return len(polled.records)

    @property
    def root(self) -> Path:
        """Folder of all logs."""
        return self._root

    def witnessed(self, checkpoint: Checkpoint, note: Note) -> None:
        """Publish a checkpoint again, with cosignatures."""
        topic = self._config.topic(Topic.AUDIT_CHECKPOINTS)
        self._publisher.publish(topic, [(checkpoint.origin.encode(), note.encode())])

    def refuse(self, origin: str, check: Check, detail: str) -> None:
        """End a log for what was found outside of it.

        Raises:
            SetupError: it is the control log: nothing may be sealed any more.
        """
        if origin == str(self.control.origin):
            raise SetupError(f"{origin}: {detail}")
        for place, state in self._partitions.items():
            if state.log.name == origin:
                self._do(place, state.refuse(check, detail))

    def seal(self) -> None:
        """Seal control and every log that grew.

        Raises:
            SealConflictError: another sealer works on this store.
        """
        self._sealed_at = time.monotonic()
        keys = self._keys()
        self.sequencer.publish_keys(keys)
        for place, state in self._partitions.items():
            failure = state.log.failure
            if failure is not None and not state.told:
                state.told = True
                self._say.error("log refused", log=state.log.name, check=failure[0], detail=failure[1])
                self.sequencer.incident(state.log.name, failure[0], state.log.size)
                self._source.stop(place)
        self._seal_control()
        if keys is not self._signs_with:  # logs that do not grow get the new keys' signatures too
            self._signs_with = keys
            self._publish_again()
        for state in self._partitions.values():
            old = state.log.checkpoint.size
            checkpoint = state.log.seal()
            if checkpoint is not None:
                note = self._sign(checkpoint)
                state.log.signed(note.encode(), old)
                self._publish(checkpoint, note, state.log.origin.log, checkpoint.size - old)
        self._tell()

    def close(self) -> None:
        """Let go of store and cluster."""
        self._source.close()
        self._store.close()

    def _open(self, log: str, partition: int) -> PartitionReader:
        control = self.sequencer.state
        origin = LogOrigin(self._config.base, log, partition, control.epoch(log, partition))
        sealer = LogSealer(origin, self._root, self._store, control, self._config.policy(log), self._now)
        return PartitionReader(sealer, control, self._config.key_wait_s)

    def _requests_from(self, bounds: Bounds) -> int:
        """Requests are unlimited: their topic holds all that was read, or it is not the same any more."""
        known, next_ = self._store.meta("requests_topic"), self.sequencer.requests_next
        if known == bounds.topic_id and bounds.low <= next_ <= bounds.high:
            return next_
        if known is not None:
            self._say.error("requests are read again from the beginning: the topic holds less than was read")
        self._store.set_meta("requests_topic", bounds.topic_id)
        return bounds.low

    def _do(self, place: Place, flow: Flow) -> None:
        if flow is Flow.STOP:
            self._source.stop(place)
        elif flow is Flow.PAUSE:
            self._source.pause(place)
        elif flow is Flow.RESUME:
            self._source.resume(place)

    def _look_again(self) -> None:
        """Partitions that waited for a key, and epochs that were opened."""
        for place, state in list(self._partitions.items()):
            self._do(place, state.look_again())
            if self.sequencer.state.epoch(state.log.origin.log, place[1]) > state.log.origin.epoch:
                self._next_epoch(place)

    def _next_epoch(self, place: Place) -> None:
        self.seal()
        self._source.partitions(place[0])
        bounds = self._source.bounds(place)
        state = self._partitions[place] = self._open(self._short[place[0]], place[1])
        at = state.begin(bounds)
        self._say.warning("log goes on in a new epoch", log=state.log.name, offset=at)
        if at is not None:
            self._source.seek(place, at)

    # -- sealing

    def _seal_control(self) -> None:
        self.sequencer.keep()
        old = self.control.size
        sealed = self.control.seal()
        if sealed is None:
            return
        checkpoint, leaves = sealed
        note = self._sign(checkpoint)
        self.control.tiles.checkpoint(note.encode())
        self.control.tiles.forget_partials(old)
        key = str(self.control.origin).encode()
        self._publisher.publish(self._config.topic(Topic.AUDIT_CONTROL), [(key, leaf) for leaf in leaves])
        self._publish(checkpoint, note, Topic.AUDIT_CONTROL.value, len(leaves))

    def _sign(self, checkpoint: Checkpoint) -> Note:
        return self._keys().seal(checkpoint.origin, str(checkpoint), self._now())

    def _publish(self, checkpoint: Checkpoint, note: Note, log: str, leaves: int) -> None:
        topic = self._config.topic(Topic.AUDIT_CHECKPOINTS)
        self._publisher.publish(topic, [(checkpoint.origin.encode(), note.encode())])
        for told in self.on_checkpoint:
            told(checkpoint, note)
        if self._observer is not None and leaves:
            self._observer.sealed(log, leaves)

    def _publish_again(self) -> None:
        """What the store holds and a crash may have kept from being signed, written or published."""
        self._seal_control()
        if self.control.size:
            note = self._sign(self.control.checkpoint)
            self.control.tiles.checkpoint(note.encode())
            self._publish(self.control.checkpoint, note, Topic.AUDIT_CONTROL.value, 0)
        for state in self._partitions.values():
            checkpoint = state.log.checkpoint
            if checkpoint.size:
                note = self._sign(checkpoint)
                state.log.tiles.checkpoint(note.encode())
                self._publish(checkpoint, note, state.log.origin.log, 0)

    def _publish_control_again(self) -> None:
        """Leaves of the control log that its topic lacks: all behind the last one, so that none is left out between."""
        topic = self._config.topic(Topic.AUDIT_CONTROL)
        self._source.partitions(topic)
        last = self._source.last((topic, 0))
        try:
            seq = -1 if last is None else decode_control(last.value or b"").seq
        except ValueError:
            seq = -1  # not ours; readers will say so
        key = str(self.control.origin).encode()
        self._publisher.publish(topic, [(key, leaf) for leaf in self._store.control(seq + 1)])

    def _tell(self) -> None:
        if self._observer is None:
            return
        refused = Counter(state.log.failure[0] for state in self._partitions.values() if state.log.failure)
        alive = [(place, state) for place, state in self._partitions.items() if state.log.failure is None]
        behind = sum(self._source.behind(place) + len(state.waiting) for place, state in alive)
        oldest = min((state.waiting[0].timestamp for _, state in alive if state.waiting), default=0)
        self._observer.looked(behind, max(0, self._now() - oldest) / 1000 if oldest else 0.0, refused)
        for kind, n in self.sequencer.taken.items():
            self._observer.taken(kind, n - self._told_kinds.get(kind, 0))
            self._told_kinds[kind] = n
