"""Opens the audit log of a partition at take-over, and keeps its signature and this host's memory of it.

Rules: the log's own tail is the truth, and it is compared with three others: the committed offset of the input, the
latest checkpoint the sealer published, and what this host remembers outside Kafka. Whatever is ahead of the tail means
that the tail is lost; then only an epoch opened in ``audit.control`` leads on. At least once nothing is remembered.
"""

import time
from collections.abc import Callable
from typing import Protocol

import msgspec

from tamis.domain.audit.checkpoint import parse_checkpoint
from tamis.domain.audit.control import ControlError, ControlState, decode_control
from tamis.domain.audit.leaf import HEAD_HEADER, decode_head
from tamis.domain.audit.log import AuditLog, AuditRefusedError, LogTail
from tamis.domain.audit.note import NoteError, parse_note
from tamis.domain.audit.notices import Opening
from tamis.domain.audit.origin import LogOrigin, parse_origin
from tamis.records.topics import Topic
from tamis.stores.audit_memory import Remembered
from tamis.streaming.agents.audit_key import WorkerSigner
from tamis.streaming.reader import TopicReader
from tamis.streaming.transport.batch import Batch

_NOTE_EVERY_S = 1.0
_RECENT_CHECKPOINTS = 1_000


class AuditConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What logs need to know.

    Attributes:
        base: the installation's origin.
        topic: short name -> full topic name.
        log: topic of the logs, without prefix.
        idle_head_ms: see ``AuditLog``.
        at_least_once: outputs and offset are not one transaction.
    """

    base: str
    topic: Callable[[str], str]
    log: str
    idle_head_ms: int
    at_least_once: bool = False


class Memory(Protocol):
    """See ``stores.audit_memory.AuditMemory``."""

    def recall(self, log: str, partition: int) -> Remembered | None:
        """What is remembered of a log."""

    def note(self, log: str, partition: int, seen: Remembered) -> None:
        """Remember the end of a log."""


class AuditLogs:
    """The audit logs of one role of one process.

    Args:
        config: see ``AuditConfig``.
        reader: reads tails, control and checkpoints.
        signer: the process's key; None signs nothing.
        memory: of this host; None remembers nothing.
    """

    def __init__(
        self, config: AuditConfig, reader: TopicReader, signer: WorkerSigner | None = None, memory: Memory | None = None
    ) -> None:
        self._config, self._reader, self._signer = config, reader, signer
        self._memory = None if config.at_least_once else memory
        self._control = ControlState(config.base)
        self._control_next = 0
        self._told: dict[int, str] = {}
        self._noted_at: dict[int, float] = {}
        self.topic = config.topic(config.log)

    async def open(self, partition: int, committed: int | None) -> AuditLog:
        """The log of an input partition that was taken over.

        Args:
            partition: of the input.
            committed: committed offset of the input, None when nothing was committed.

        Raises:
            AuditRefusedError: the log's tail is lost and no epoch was opened.
        """
        config = self._config
        self._told.pop(partition, None)
        tail = await read_tail(self._reader, self.topic, partition)
        origin = LogOrigin(config.base, config.log, partition, _epoch_of(tail))
        await self._follow_control()
        opening = self._control.openings.get((config.log, partition))
        if opening is not None and opening.origin.epoch > origin.epoch:
            return await self._begin(opening, tail, committed)
        log = AuditLog.resume(str(origin), tail, committed, config.idle_head_ms, at_least_once=config.at_least_once)
        if not config.at_least_once:
            self._compare(partition, log.origin, log.seq, log.next)
            await self._compare_sealed(log.origin, log.seq)
        return log

    def sign(self, log: AuditLog, batch: Batch, stamp: int | None) -> None:
        """Gives the log the key to sign this batch with, and registers the key with it where that is new."""
        if self._signer is None:
            return
        key = log.signer = self._signer.current()
        if self._told.get(batch.partition) != key.id:
            self._told[batch.partition] = key.id
            requests = self._config.topic(Topic.AUDIT_REQUESTS)
            batch.send(requests, [(None, key.registration)], partition=0, timestamp_ms=stamp)

    def committed(self, log: AuditLog, partition: int) -> None:
        """A batch of the log is committed: remembered now and then."""
        now = time.monotonic()
        if self._memory is None or now - self._noted_at.get(partition, -_NOTE_EVERY_S) < _NOTE_EVERY_S:
            return
        self._noted_at[partition] = now
        seen = Remembered(log=log.origin, n=log.seq, next=log.next or 0, root=log.root_text)
        self._memory.note(self._config.log, partition, seen)

    async def _begin(self, opening: Opening, tail: LogTail, committed: int | None) -> AuditLog:
        await self._compare_sealed(str(opening.origin), 0)
        self._compare(opening.origin.partition, str(opening.origin), 0, committed)
        clock = tail.head.received_at if tail.head else 0
        return AuditLog.begin_epoch(opening, committed, clock, self._config.idle_head_ms)

    def _compare(self, partition: int, origin: str, n: int, next_: int | None) -> None:
        """Refuses an end of the log that is before what this host remembers."""
        seen = self._memory.recall(self._config.log, partition) if self._memory else None
        if seen is None or _epoch(seen.log) < _epoch(origin):
            return
        if _epoch(seen.log) > _epoch(origin) or seen.n > n or seen.next > (next_ or 0):
            raise AuditRefusedError(
                f"{origin}: the log ends at leaf {n} (offset {next_}), but this host wrote {seen.log} up to leaf "
                f"{seen.n} (offset {seen.next}): the broker holds an older state; see: tamis audit epoch open --help"
            )

    async def _compare_sealed(self, origin: str, n: int) -> None:
        """Refuses an end of the log that is before the latest checkpoint in ``audit.checkpoints``."""
        topic = self._config.topic(Topic.AUDIT_CHECKPOINTS)
        for record in reversed(await self._reader.last_records(topic, 0, _RECENT_CHECKPOINTS)):
            if record.key != origin.encode() or record.value is None:
                continue
            try:
                size = parse_checkpoint(parse_note(record.value).text).size
            except NoteError:
                continue
            if size > n:
                raise AuditRefusedError(f"{origin}: the log ends at leaf {n}, but was sealed up to leaf {size}")
            return

    async def _follow_control(self) -> None:
        """Takes in what ``audit.control`` says since it was last asked."""
        topic = self._config.topic(Topic.AUDIT_CONTROL)
        for record in await self._reader.read(topic, 0, self._control_next):
            self._control_next = record.offset + 1
            try:
                leaf = decode_control(record.value or b"")
                if leaf.seq >= self._control.size:  # the sealer may publish a leaf twice
                    self._control.add(leaf)
            except (msgspec.DecodeError, ControlError, ValueError) as error:
                raise AuditRefusedError(f"{topic}: {error}") from error


def _epoch(origin: str) -> int:
    return parse_origin(origin).epoch


def _epoch_of(tail: LogTail) -> int:
    if tail.head is None:
        return 1
    try:
        return _epoch(tail.head.log)
    except ValueError:
        raise AuditRefusedError("the last head names no log") from None


async def read_tail(reader: TopicReader, topic: str, partition: int) -> LogTail:
    """The last committed head of a partition of an audit topic and what stands after it.

    Exactly once, a head is the last record; at least once, leaves of a batch that was cut short may follow it.
    """
    count = 1
    while True:
        found = await reader.last_records(topic, partition, count)
        for number, record in reversed(list(enumerate(found))):
            if HEAD_HEADER in record.headers and record.value is not None:
                return LogTail(decode_head(record.value), tuple(after.value or b"" for after in found[number + 1 :]))
        if len(found) < count:
            return LogTail(None, tuple(record.value or b"" for record in found))
        count *= 16
