"""The checks that compare a leaf with the leaf before it: index, source position, time of receipt.

Rules: ``seq`` counts up by one; all leaves name one source topic and partition; source offsets increase (holes are the
source's own affair) and the events of a record are numbered from 0; times of receipt never go back. Only at-least-once
may a source offset come again: it is counted.
"""

from collections.abc import Sequence

import msgspec

from tamis.domain.audit.report import Check
from tamis.domain.outcome import Outcome


class Source(msgspec.Struct, frozen=True, gc=False):
    """``src`` of a leaf: index within the record, offset, partition, topic."""

    i: int
    o: int
    p: int
    t: str


class LeafView(msgspec.Struct, frozen=True, gc=False):
    """The part of a leaf that the verifier compares; the rest is covered by its hash."""

    out: str
    seq: int
    src: Source
    ts: int
    v: int
    why: str


class LeafOrder:
    """State of the comparison, and counts of the batch that is open.

    Args:
        partition: of the log, and so of its source.
        topic: source topic; None takes the first one named.
        at_least_once: count repeated offsets instead of refusing them.
    """

    def __init__(self, partition: int, topic: str | None, *, at_least_once: bool) -> None:
        self.partition, self.topic = partition, topic
        self.at_least_once = at_least_once
        self.index = 0
        self.clock = self.head_clock = 0
        self.covered: int | None = None
        self.repeats = 0
        self._offset = self._i = self._replay_to = -1
        self.open_batch()

    def open_batch(self) -> None:
        """Begin counting anew, behind a head."""
        self.batch_start, self.head_clock = self.index, self.clock
        self.counts = {outcome.value: 0 for outcome in Outcome}
        self.low: int | None = None

    def begin_late(self, index: int, source: Source | None) -> None:
        """Start at a later leaf, which may be in the midst of a record."""
        self.index = self.batch_start = index
        if source is not None and source.i:
            self._offset, self._i = source.o, source.i - 1

    def reopen_batch(self) -> None:
        """Forget the leaves since the last head: their writer died before its head and another wrote them again."""
        self.index, self.clock = self.batch_start, self.head_clock
        self.open_batch()

    @property
    def high(self) -> int:
        """The last leaf's source offset, -1 before the first."""
        return self._offset

    def check(self, leaves: Sequence[LeafView]) -> tuple[int, Check, str] | None:
        """Take leaves in order.

        Returns:
            Position in ``leaves`` of the first that is wrong, the check and its detail; None when all are right.
        """
        counts, partition = self.counts, self.partition
        if self.low is None and leaves:
            self.low = leaves[0].src.o
        if self.topic is None and leaves:
            self.topic = leaves[0].src.t
        for at, leaf in enumerate(leaves):
            source = leaf.src
            if leaf.seq != self.index:
                return at, Check.SEQUENCE, f"seq {leaf.seq} where {self.index} is due"
            if source.p != partition or source.t != self.topic:
                return at, Check.SOURCE, f"partition {source.p} in the log of {self.topic}/{partition}"
            if (source.o <= self._offset or source.i) and (source.o != self._offset or source.i != self._i + 1):
                problem = self._step_back(source)
                if problem:
                    return at, *problem
            if leaf.ts < self.clock:
                return at, Check.CLOCK, f"received at {leaf.ts}, after one received at {self.clock}"
            if leaf.out not in counts:
                return at, Check.SHAPE, "the outcome is none of the six"
            counts[leaf.out] += 1
            self.index += 1
            self.clock, self._offset, self._i = leaf.ts, source.o, source.i
            self.repeats += source.o <= self._replay_to
        return None

    def _step_back(self, source: Source) -> tuple[Check, str] | None:
        """A position that does not follow: a repeat where that is allowed, else what is wrong."""
        if self.at_least_once and not source.i and source.o <= self._offset:
            self._replay_to = max(self._replay_to, self._offset)
            return None
        if self.covered is not None and source.o < self.covered:
            return Check.REPEAT, f"offset {source.o} again: heads already cover all below {self.covered}"
        return Check.ORDER, f"position {source.o}/{source.i} after {self._offset}/{self._i}"
