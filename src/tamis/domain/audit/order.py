"""The checks that compare a leaf with the leaf before it: index, source position, time of receipt.

Rules: ``seq`` counts up by one; all leaves name one source topic and partition; source offsets increase (holes are the
source's own affair) and the events of a record are numbered from 0; times of receipt never go back. Only at-least-once
may a source offset come again: it is counted. A gap leaf takes the position of the last offset it covers; an epoch leaf
is leaf 0 and says at which offset the log goes on.
"""

from collections.abc import Sequence

import msgspec

from tamis.domain.audit.notices import EPOCH, GAP
from tamis.domain.audit.report import Check
from tamis.domain.outcome import HeldOutcome, Outcome


class Source(msgspec.Struct, frozen=True, gc=False):
    """``src`` of a leaf: index within the record, offset, partition, topic."""

    i: int
    o: int
    p: int
    t: str


class LeafView(msgspec.Struct, frozen=True, gc=False):
    """The part of a leaf that the verifier compares; the rest is covered by its hash."""

    seq: int
    src: Source
    ts: int
    v: int
    kind: str = ""
    lost: tuple[int, int] | None = None
    out: str = ""


HELD_PREFIX = "events.held"
"""Source topics of events that had been held."""


def outcomes_of(topic: str | None) -> type[Outcome] | type[HeldOutcome]:
    """The outcomes that records of a source topic can have."""
    return HeldOutcome if topic is not None and topic.startswith(HELD_PREFIX) else Outcome


class LeafOrder:
    """State of the comparison, and counts of the batch that is open.

    Args:
        partition: of the log, and so of its source.
        topic: source topic; None takes the first one named.
        at_least_once: count repeated offsets instead of refusing them.
        origin: of the log; "" takes the one of the first head.
    """

    def __init__(self, partition: int, topic: str | None, *, at_least_once: bool, origin: str = "") -> None:
        self.partition, self.topic, self.origin = partition, topic, origin
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
        self.counts = {outcome.value: 0 for outcome in outcomes_of(self.topic)}
        self.low: int | None = None
        self.gap: tuple[int, int] | None = None

    def begin_late(self, index: int, source: Source | None) -> None:
        """Start at a later leaf, which may be in the midst of a record."""
        self.index = self.batch_start = index
        if source is not None and source.i:
            self._offset, self._i = source.o, source.i - 1

    def reopen_batch(self) -> None:
        """Forget the leaves since the last head: their writer died before its head and another wrote them again."""
        self.index, self.clock = self.batch_start, self.head_clock
        self.open_batch()

    def resume(self, index: int, clock: int, covered: int | None, offset: int, i: int) -> None:
        """Goes on behind a head that was checked before; arguments as in ``verify.CheckedState``."""
        self.index, self.clock, self.covered = index, clock, covered
        self._offset, self._i = offset, i
        self.open_batch()

    @property
    def high_index(self) -> int:
        """The last leaf's index within its record, -1 before the first."""
        return self._i

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
        if self.topic is None and leaves:
            self.topic = leaves[0].src.t
            self.counts = counts = {outcome.value: 0 for outcome in outcomes_of(self.topic)}
        for at, leaf in enumerate(leaves):
            source = leaf.src
            if leaf.seq != self.index:
                return at, Check.SEQUENCE, f"seq {leaf.seq} where {self.index} is due"
            if source.p != partition or source.t != self.topic:
                return at, Check.SOURCE, f"partition {source.p} in the log of {self.topic}/{partition}"
            if leaf.out not in counts:
                problem = self._notice(leaf)
            elif (source.o <= self._offset or source.i) and (source.o != self._offset or source.i != self._i + 1):
                problem = self._step_back(source)
            else:
                problem = None
            if problem:
                return at, *problem
            if leaf.ts < self.clock:
                return at, Check.CLOCK, f"received at {leaf.ts}, after one received at {self.clock}"
            if leaf.out:
                counts[leaf.out] += 1
                self.low = source.o if self.low is None else self.low
                self.repeats += source.o <= self._replay_to
                self._offset, self._i = source.o, source.i
            self.index += 1
            self.clock = leaf.ts
        return None

    def _notice(self, leaf: LeafView) -> tuple[Check, str] | None:
        """Takes a leaf that stands for no event: what is wrong with it, None when it may stand here."""
        if leaf.out or leaf.kind not in {GAP, EPOCH}:
            return Check.SHAPE, "the outcome is none of those that events of this topic can have"
        if leaf.kind == EPOCH:
            self.covered = leaf.src.o
            return None if self.index == 0 else (Check.EPOCH, "an epoch that begins within a log")
        lost, at = leaf.lost, leaf.src.o
        if lost is None or not 0 <= lost[0] < lost[1] == at + 1 or leaf.src.i or self.low is not None:
            return Check.GAP, "a gap leaf behind events, or whose position is not the last offset lost"
        if lost[0] <= self._offset or self.gap is not None:
            return Check.GAP, f"offsets {lost[0]}..{at} lost after offset {self._offset}"
        self.gap, self._offset, self._i = lost, at, 0
        return None

    def _step_back(self, source: Source) -> tuple[Check, str] | None:
        """A position that does not follow: a repeat where that is allowed, else what is wrong."""
        if self.at_least_once and not source.i and source.o <= self._offset:
            self._replay_to = max(self._replay_to, self._offset)
            return None
        if self.covered is not None and source.o < self.covered:
            return Check.REPEAT, f"offset {source.o} again: heads already cover all below {self.covered}"
        return Check.ORDER, f"position {source.o}/{source.i} after {self._offset}/{self._i}"
