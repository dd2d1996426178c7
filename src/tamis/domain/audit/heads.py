"""The checks that compare a head with the leaves it covers and with the head before it.

Rules: a head covers exactly the leaves since the last one; its root and compact range are recomputed, its counts by
outcome recounted; its source offsets ``[first, next)`` go on where the last ended and hold all its leaves; offsets that
retention deleted unread are declared in ``lost``, right before them. At-least-once a head may go back over offsets.
Where the log's beginning is gone the first head's compact range is adopted, once it gives the root. Given the worker
keys, each head must be signed by one of them.
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Collection, Sequence

from tamis.domain.audit.attestation import attested
from tamis.domain.audit.leaf import LEAF_VERSION, Head, base64_of
from tamis.domain.audit.merkle import Frontier
from tamis.domain.audit.note import ed25519_holds
from tamis.domain.audit.order import LeafOrder
from tamis.domain.audit.origin import parse_origin
from tamis.domain.audit.report import Check

Problem = tuple[Check, str]
PublicKey = Callable[[Head], bytes | Problem]
"""The worker key that may have signed a head, 32 bytes, or what is wrong with the head."""


class HeadChecks:
    """Tree and counts of the log so far, compared at each head.

    Args:
        order: of the leaves.
        key: worker keys; None leaves signatures unchecked.
        sizes: sizes whose roots are kept in ``roots``, where a head has one.

    Attributes:
        root: of the last head that passed, base64.
        verified: leaves under that root which were hashed here.
        first: first source offset any head covers.
        lost: source offsets declared lost.
        attested: heads whose signature holds.
        roots: size -> root, base64.
        batch: leaf hashes since the last head.
    """

    def __init__(self, order: LeafOrder, key: PublicKey | None = None, sizes: Collection[int] = ()) -> None:
        self._order = order
        self._key, self._sizes = key, sizes
        self.roots: dict[int, str] = {}
        self.batch: list[bytes] = []
        self._tree: Frontier | None = Frontier()
        self._closed = Frontier()
        self._adopted = 0
        self.root = ""
        self.verified = self.lost = self.attested = 0
        self.first: int | None = None

    @property
    def peaks(self) -> list[bytes]:
        """Compact range of the tree under the last head."""
        return self._closed.peaks

    def resume(self, n: int, peaks: Sequence[bytes]) -> None:
        """Goes on behind a head that was checked before."""
        self._tree = Frontier.from_peaks(n, peaks)
        self._closed = self._tree.copy()
        self._adopted = n

    def begin_late(self) -> None:
        """The log's beginning is gone: the first head's compact range will be taken on trust."""
        self._tree = None

    def extend(self, digests: Sequence[bytes]) -> None:
        """Add the hashes of leaves that passed."""
        self.batch += digests
        if self._tree is not None:
            self._tree.extend(digests)

    def reopen_batch(self) -> None:
        """Forget the leaves since the last head."""
        self._tree = self._closed.copy()
        self.batch = []

    def check(self, head: Head) -> Problem | None:
        """Compare and, when all is right, close the batch.

        Returns:
            The first check that fails, and its detail.
        """
        compared = (
            self._shape, self._source, self._size, self._hashes, self._attestation, self._counts, self._offsets,
            self._gap, self._clock,
        )  # fmt: skip
        for compare in compared:
            problem = compare(head)
            if problem:
                return problem
        order = self._order
        self.root, self.verified = head.root, head.n - self._adopted
        self.lost += head.lost[1] - head.lost[0] if head.lost else 0
        self.first = head.first if self.first is None else self.first
        order.covered = head.next if order.covered is None else max(order.covered, head.next)
        order.clock = head.received_at
        if head.n in self._sizes:
            self.roots[head.n] = head.root
        self.batch = []
        order.open_batch()
        return None

    def _shape(self, head: Head) -> Problem | None:
        lost = head.lost or (head.first, head.first)
        if head.v == LEAF_VERSION and 0 <= lost[0] <= lost[1] == head.first <= head.next:
            return None
        return Check.SHAPE, "not a head of a known version"

    def _source(self, head: Head) -> Problem | None:
        order = self._order
        try:
            partition = parse_origin(head.log).partition
        except ValueError:
            return Check.SOURCE, "a head that names no log"
        order.origin = order.origin or head.log
        if partition == order.partition and head.log == order.origin:
            return None
        return Check.SOURCE, f"a head of {head.log} in the log of {order.origin} in partition {order.partition}"

    def _size(self, head: Head) -> Problem | None:
        order = self._order
        begins = head.start == order.batch_start
        if order.at_least_once or self._tree is None:
            begins = head.start <= order.index
        if begins and head.n == order.index:
            return None
        return Check.SIZE, f"a head of leaves {head.start}..{head.n} where {order.batch_start}..{order.index} are due"

    def _hashes(self, head: Head) -> Problem | None:
        if self._tree is None:
            return self._adopt(head)
        root = b64encode(self._tree.root()).decode()
        if root != head.root:
            return Check.ROOT, f"leaves give the root {root}"
        if base64_of(self._tree.peaks) != head.peaks:
            return Check.PEAKS, "the compact range is not that of the leaves"
        self._closed = self._tree.copy()
        return None

    def _attestation(self, head: Head) -> Problem | None:
        if self._key is None:
            return None
        key = self._key(head)
        if isinstance(key, tuple):
            return key
        covered = head.n - head.start
        if len(self.batch) < covered:
            return None  # the batch's beginning is not in this copy
        batch = Frontier()
        batch.extend(self.batch[len(self.batch) - covered :])
        try:
            signature, root = b64decode(head.sig, validate=True), b64decode(head.root, validate=True)
        except (Base64Error, ValueError):
            signature = root = b""
        if not ed25519_holds(key, signature, attested(head.log, head.start, head.n, batch.root(), root)):
            return Check.ATTESTATION, f"not signed by worker key {head.wk[:16]}"
        self.attested += 1
        return None

    def _gap(self, head: Head) -> Problem | None:
        order = self._order
        if order.gap == head.lost or head.start != order.batch_start:
            return None
        return Check.GAP, f"the head declares {head.lost} lost, the leaves {order.gap}"

    def _adopt(self, head: Head) -> Problem | None:
        try:
            tree = Frontier.from_peaks(head.n, [b64decode(peak, validate=True) for peak in head.peaks])
        except ValueError:
            return Check.PEAKS, "no compact range of a tree of this size"
        if b64encode(tree.root()).decode() != head.root:
            return Check.PEAKS, "the compact range does not give the root"
        self._tree, self._closed, self._adopted = tree, tree.copy(), head.n
        return None

    def _counts(self, head: Head) -> Problem | None:
        order = self._order
        if head.start != order.batch_start:
            return None
        counted = {outcome: n for outcome, n in order.counts.items() if n}
        if {outcome: n for outcome, n in head.counts.items() if n} == counted:
            return None
        return Check.COUNTS, f"leaves give {counted}"

    def _offsets(self, head: Head) -> Problem | None:
        order = self._order
        if order.low is not None and not head.first <= order.low <= order.high < head.next:
            return (
                Check.WINDOW,
                f"leaves of offsets {order.low}..{order.high} under a head of {head.first}..{head.next}",
            )
        goes_on = head.lost[0] if head.lost else head.first
        due = goes_on if order.covered is None else order.covered
        if goes_on == due or (order.at_least_once and goes_on < due):
            return None
        return Check.OFFSETS, f"a head from offset {goes_on} where {due} is due"

    def _clock(self, head: Head) -> Problem | None:
        if head.received_at >= self._order.clock:
            return None
        return Check.CLOCK, f"a head at {head.received_at}, after {self._order.clock}"
