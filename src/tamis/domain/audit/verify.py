"""Checks one audit log from its stored bytes alone, record by record, in bounded memory.

Rules: every check of ``report.Check`` except the manifest's; leaves are hashed as stored and never re-encoded; the
first failure ends the checking, what follows is only counted. A log that begins late (retention) is refused unless
``partial``: then the first head's compact range is taken on trust and the leaves it covers count as unverified. With
``at_least_once`` repeated source offsets are counted instead of refused.
Not handled: signatures and witnesses. A log cut off cleanly behind a head verifies, and so does one rewritten whole.
"""

from collections.abc import Callable
from itertools import takewhile
from typing import TypeVar, cast

import msgspec

from tamis.domain.audit.heads import HeadChecks
from tamis.domain.audit.leaf import LEAF_VERSION, MAX_LEAF_BYTES, Head
from tamis.domain.audit.merkle import leaf_hashes
from tamis.domain.audit.order import LeafOrder, LeafView, Source
from tamis.domain.audit.report import Check, Failure, LogReport
from tamis.domain.outcome import Outcome

T = TypeVar("T")

MAX_HEAD_BYTES = 16_384
_AT_ONCE = 4096
_decode_head = msgspec.json.Decoder(Head).decode
_decode_leaf = msgspec.json.Decoder(LeafView).decode


class LogVerifier:
    """Verifier of one log: ``feed`` it every record in order, then read the ``report``.

    Args:
        partition: partition of the log; leaves of another one are refused.
        topic: source topic the log must be about; None takes the first one named.
        at_least_once: the writer could repeat itself (no transactions).
        partial: accept a log whose beginning is gone.
    """

    def __init__(
        self, partition: int, *, topic: str | None = None, at_least_once: bool = False, partial: bool = False
    ) -> None:
        self._order = LeafOrder(partition, topic, at_least_once=at_least_once)
        self._heads = HeadChecks(self._order)
        self._partial = partial
        self._pending: list[bytes] = []
        self._records = self._leaves = self._head_count = self._begins = 0
        self._outcomes = {outcome.value: 0 for outcome in Outcome}
        self._begun = False
        self._failure: Failure | None = None

    def feed(self, is_head: bool, value: bytes) -> None:
        """Take the next record of the log.

        Args:
            is_head: the record carries the header ``type = head``.
            value: its value, exactly as stored.
        """
        if is_head:
            self._take_leaves()
            self._take_head(value)
            self._records += 1
            return
        self._pending.append(value)
        self._records += 1
        if len(self._pending) >= _AT_ONCE:
            self._take_leaves()

    def report(self) -> LogReport:
        """What was found so far; leaves behind the last head are a failure unless repeats are allowed."""
        self._take_leaves()
        order, heads = self._order, self._heads
        tail = 0 if self._failure else order.index - order.batch_start
        if tail and not order.at_least_once:
            self._fail(
                Check.TAIL, self._records - tail, order.batch_start, order.index, f"{tail} leaves without a head"
            )
        return LogReport(
            log="" if order.topic is None else f"{order.topic}/{order.partition}",
            partition=order.partition,
            leaves=self._leaves,
            heads=self._head_count,
            verified=heads.verified,
            begins=self._begins,
            outcomes={name: n for name, n in self._outcomes.items() if n},
            root=heads.root,
            first=heads.first or 0,
            next=order.covered or 0,
            lost=heads.lost,
            repeats=order.repeats,
            tail=tail,
            failure=self._failure,
        )

    def _fail(self, check: Check, record: int, leaf: int, until: int, detail: str) -> None:
        self._failure = Failure(check=check, record=record, leaf=leaf, until=until, detail=detail)

    def _take_leaves(self) -> None:
        values, self._pending = self._pending, []
        if not values:
            return
        self._leaves += len(values)
        leaves = [_leaf(value) for value in values]
        for leaf in leaves:
            if leaf is not None and leaf.out in self._outcomes:
                self._outcomes[leaf.out] += 1
        if self._failure is None:
            good = list(takewhile(lambda leaf: leaf is not None, leaves)) if None in leaves else leaves
            self._compare(values, cast("list[LeafView]", good))

    def _compare(self, values: list[bytes], leaves: list[LeafView]) -> None:
        """Check ``leaves``, the readable first part of ``values``."""
        wrong = self._beginning(leaves[0].seq, leaves[0].src) if leaves else None
        if wrong is None:
            wrong = self._order.check(leaves)
        while wrong and self._written_again(wrong[1], leaves[wrong[0]].seq):
            values, leaves = values[wrong[0] :], leaves[wrong[0] :]
            wrong = self._order.check(leaves)
        if wrong is None and len(leaves) < len(values):
            wrong = len(leaves), Check.SHAPE, "not a leaf of a known version"
        if wrong is None:
            self._heads.extend(leaf_hashes(values))
            return
        at, check, detail = wrong
        index = self._order.index
        self._fail(check, self._records - len(values) + at, index, index + 1, detail)

    def _written_again(self, check: Check, seq: int) -> bool:
        """At-least-once: a writer died before its head, and the next one began behind the last head again."""
        order = self._order
        if not order.at_least_once or check is not Check.SEQUENCE or seq != order.batch_start:
            return False
        order.reopen_batch()
        self._heads.reopen_batch()
        return True

    def _beginning(self, index: int, source: Source | None = None) -> tuple[int, Check, str] | None:
        """The first record says at which leaf this copy begins."""
        if self._begun:
            return None
        self._begun = True
        if index == 0:
            return None
        if not self._partial:
            return 0, Check.BEGINNING, f"the log begins at leaf {index}"
        self._begins = index
        self._order.begin_late(index, source)
        self._heads.begin_late()
        return None

    def _take_head(self, value: bytes) -> None:
        self._head_count += 1
        if self._failure:
            return
        head = _decode(_decode_head, value, MAX_HEAD_BYTES)
        if head is None:
            problem: tuple[Check, str] | None = (Check.SHAPE, "not a head")
        else:
            late = self._beginning(head.n)
            problem = late[1:] if late else self._heads.check(head)
        if problem:
            self._fail(problem[0], self._records, self._order.batch_start, self._order.index, problem[1])


def _leaf(value: bytes) -> LeafView | None:
    """The leaf in a record value, None when it is none of a known version."""
    leaf = _decode(_decode_leaf, value, MAX_LEAF_BYTES)
    return leaf if leaf is not None and leaf.v == LEAF_VERSION else None


def _decode(decoder: Callable[[bytes], T], value: bytes, limit: int) -> T | None:
    """The decoded value, None when it is too large, not ASCII, nested without end or of another shape."""
    if len(value) > limit or not value.isascii():
        return None
    try:
        return decoder(value)
    except (msgspec.DecodeError, RecursionError):
        return None
