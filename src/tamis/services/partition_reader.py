"""Reads one partition of a topic of logs for the sealer: where to begin, what to wait for, what to refuse.

Rules: the topic must still hold what was sealed, which is seen from its id, its bounds and the last head at its offset;
in a new epoch everything before its first leaf is passed over, and that leaf must cite the end that ``audit.control``
states; a batch whose worker key is not registered yet waits, and everything behind it.
"""

import time
from collections.abc import Callable
from enum import Enum, auto
from hashlib import sha256

import msgspec

from tamis.domain.audit.control import ControlState
from tamis.domain.audit.notices import EPOCH, begins_epoch, decode_notice
from tamis.domain.audit.report import Check
from tamis.kafka.reader import TopicRecord
from tamis.kafka.sealing import Bounds
from tamis.services.log_sealer import LogSealer


class Flow(Enum):
    """What the source must do with the partition."""

    ON = auto()
    PAUSE = auto()
    RESUME = auto()
    STOP = auto()


class PartitionReader:
    """One partition: the log in its current epoch, and what waits for a key.

    Args:
        log: the log.
        control: what ``audit.control`` says.
        key_wait_s: how long a batch waits for its key.
        clock: seconds, for waiting.

    Attributes:
        waiting: records that wait for a worker key.
        told: a refusal was told of.
    """

    def __init__(
        self, log: LogSealer, control: ControlState, key_wait_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.log = log
        self._control, self._key_wait_s, self._clock = control, key_wait_s, clock
        self._confirm = ""  # hash of the head that must come first
        self._scanning = False  # for the first leaf of an epoch
        self.waiting: list[TopicRecord] = []
        self._waits_since = 0.0
        self.told = False

    def begin(self, bounds: Bounds) -> int | None:
        """Where to read from, None when the log is refused."""
        log, seen = self.log, self.log.state
        if seen.refused:
            self.told = True
            return None
        if not seen.topic_id:
            log.start_at(bounds.low, bounds.topic_id)
            self._scanning = log.origin.epoch > 1
            return bounds.low
        problem = None
        if seen.topic_id != bounds.topic_id:
            problem = Check.TOPIC, "the topic is another one than was sealed: it was deleted and made anew"
        elif seen.position > bounds.high:
            problem = Check.TOPIC, f"the topic ends at offset {bounds.high}, sealed is up to {seen.position}"
        elif seen.position < bounds.low:
            problem = Check.BEGINNING, f"the topic begins at offset {bounds.low}, read was up to {seen.position}"
        if problem:
            log.refuse(*problem)
            return None
        self._scanning = log.origin.epoch > 1 and seen.head_offset < 0
        if seen.head_offset >= bounds.low:
            self._confirm = seen.head_hash
            return seen.head_offset
        return seen.position

    def feed(self, record: TopicRecord) -> Flow:
        """Take the next record."""
        log = self.log
        if log.failure is not None:
            return Flow.STOP
        if self.waiting:
            self.waiting.append(record)
        elif self._confirm:
            confirm, self._confirm = self._confirm, ""
            if sha256(record.value or b"").hexdigest() != confirm:
                return self.refuse(Check.TOPIC, f"offset {record.offset} is not the head that was sealed there")
        elif self._scanning and not self._begins(record):
            log.start_at(record.offset + 1, log.state.topic_id)
        elif log.unknown_key(record):
            self.waiting, self._waits_since = [record], self._clock()
            return Flow.PAUSE
        else:
            self._scanning = False
            log.feed(record)
        return Flow.ON if log.failure is None else Flow.STOP

    def look_again(self) -> Flow:
        """Whether what waited for a key may go on."""
        if not self.waiting:
            return Flow.ON
        if self.log.unknown_key(self.waiting[0]):
            if self._clock() - self._waits_since <= self._key_wait_s:
                return Flow.ON
            offset = self.waiting[0].offset
            return self.refuse(Check.ATTESTATION, f"record {offset}: its worker key was never registered")
        records, self.waiting = self.waiting, []
        for record in records:
            if self.feed(record) is Flow.STOP:
                return Flow.STOP
        return Flow.ON if self.waiting else Flow.RESUME

    def refuse(self, check: Check, detail: str) -> Flow:
        """End the log here."""
        self.log.refuse(check, detail)
        self.waiting = []
        return Flow.STOP

    def _begins(self, record: TopicRecord) -> bool:
        """Whether a record is the first leaf of the epoch that is waited for; one that cites another end is refused."""
        value, log = record.value or b"", self.log
        if not begins_epoch(value):
            return False
        try:
            notice = decode_notice(value)
        except msgspec.DecodeError:
            return False
        if notice.kind != EPOCH or notice.log != log.name:
            return False
        opening = self._control.openings[log.origin.log, log.origin.partition]
        if notice.prev != opening.previous:
            log.refuse(Check.EPOCH, f"record {record.offset} does not cite the end that audit.control states")
        return True
