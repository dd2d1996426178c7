"""Checks one audit log from its stored bytes alone, record by record, in bounded memory.

Rules: every check of ``report.Check`` except the manifest's; leaves are hashed as stored and never re-encoded; the
first failure ends the checking, what follows is only counted. A log that begins late (retention) is refused unless
``partial``: then the first head's compact range is taken on trust and the leaves it covers count as unverified. With
``at_least_once`` repeated source offsets are counted instead of refused. A verifier can go on where another ended, and
hand each checked batch to whoever seals it.
Not handled: checkpoints and witnesses. Without them a log cut off cleanly behind a head verifies, and so does one
rewritten whole by who holds a worker key.
"""

from base64 import b64decode
from collections.abc import Callable, Collection, Sequence
from itertools import takewhile
from typing import TypeVar, cast

import msgspec

from tamis.domain.audit.heads import HeadChecks, PublicKey
from tamis.domain.audit.leaf import LEAF_VERSION, MAX_LEAF_BYTES, Head, base64_of
from tamis.domain.audit.merkle import leaf_hashes
from tamis.domain.audit.order import LeafOrder, LeafView, Source
from tamis.domain.audit.report import Check, Failure, LogReport
from tamis.domain.outcome import HeldOutcome, Outcome

T = TypeVar("T")

MAX_HEAD_BYTES = 16_384
_AT_ONCE = 4096
_decode_head = msgspec.json.Decoder(Head).decode
_decode_leaf = msgspec.json.Decoder(LeafView).decode


class CheckedState(msgspec.Struct, frozen=True, kw_only=True):
    """What a verifier needs to go on behind a head.

    Attributes:
        origin: of the log.
        topic: source topic.
        n: leaves.
        peaks: compact range of the tree, base64.
        clock: time of receipt of the last head, ms.
        covered: source offsets below this are covered by heads, None before the first head.
        offset: source offset of the last leaf, -1 without one.
        index: its index within the record.
    """

    origin: str
    topic: str | None
    n: int = 0
    peaks: tuple[str, ...] = ()
    clock: int = 0
    covered: int | None = None
    offset: int = -1
    index: int = -1


Checked = Callable[[Head, bytes, list[bytes], list[bytes]], None]
"""Told of a batch that passed: head, its bytes, leaf values, leaf hashes."""


class LogVerifier:
    """Verifier of one log: ``feed`` it every record in order, then read the ``report``.

    Args:
        partition: partition of the log; leaves of another one are refused.
        topic: source topic the log must be about; None takes the first one named.
        at_least_once: the writer could repeat itself (no transactions).
        partial: accept a log whose beginning is gone.
        origin: of the log; "" takes the one of the first head.
        key: worker keys that heads must be signed by; None leaves signatures unchecked.
        sizes: sizes whose roots ``roots`` must hold afterwards, where a head has them.
        checked: told of each batch that passed.
    """

    def __init__(
        self,
        partition: int,
        *,
        topic: str | None = None,
        at_least_once: bool = False,
        partial: bool = False,
        origin: str = "",
        key: PublicKey | None = None,
        sizes: Collection[int] = (),
        checked: Checked | None = None,
    ) -> None:
        self._order = LeafOrder(partition, topic, at_least_once=at_least_once, origin=origin)
        self._heads = HeadChecks(self._order, key, sizes)
        self._checked = checked
        self._values: list[bytes] = []
        self._notices = 0
        self._partial = partial
        self._pending: list[bytes] = []
        self._records = self._leaves = self._head_count = self._begins = 0
        self._outcomes = {outcome.value: 0 for outcome in (*Outcome, *HeldOutcome)}
        self._begun = False
        self._failure: Failure | None = None

    @property
    def failure(self) -> Failure | None:
        """The first thing that is wrong, None so far."""
        return self._failure

    @property
    def roots(self) -> dict[int, str]:
        """Size -> root, base64, for the sizes asked for that a head has."""
        return self._heads.roots

    @property
    def state(self) -> CheckedState:
        """Where it stands behind the last head that passed; ask only right behind one."""
        order = self._order
        return CheckedState(
            origin=order.origin, topic=order.topic, n=order.index, peaks=base64_of(self._heads.peaks),
            clock=order.clock, covered=order.covered, offset=order.high, index=order.high_index,
        )  # fmt: skip

    def resume(self, state: CheckedState) -> None:
        """Goes on behind a head that another verifier checked.

        Raises:
            ValueError: the state is damaged.
        """
        self._heads.resume(state.n, [b64decode(peak) for peak in state.peaks])
        self._order.resume(state.n, state.clock, state.covered, state.offset, state.index)
        self._begun = True

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

    def feed_leaves(self, values: Sequence[bytes]) -> None:
        """Take the next leaves of the log, many at once."""
        self._pending += values
        self._records += len(values)
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
            log=order.origin,
            partition=order.partition,
            leaves=self._leaves,
            heads=self._head_count,
            verified=heads.verified,
            begins=self._begins,
            outcomes={name: n for name, n in self._outcomes.items() if n},
            root=heads.root,
            notices=self._notices,
            attested=heads.attested,
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
            elif leaf is not None and leaf.kind:
                self._notices += 1
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
            if self._checked is not None:
                self._values += values
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
        self._values = []
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
            digests = self._heads.batch
            problem = late[1:] if late else self._heads.check(head)
            if problem is None and self._checked is not None:
                values, self._values = self._values, []
                self._checked(head, value, values, digests)
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
