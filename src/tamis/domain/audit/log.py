"""State of one partition's audit log between batches, and how a take-over resumes it.

Rules: one log per input partition and epoch; leaves are numbered without gaps; the head's ``next`` must equal the
committed offset of the input, else the log's tail was lost or offsets were reset and the log is not continued; the
clock never goes back within an ownership, and across one never to a minute before one it was told in, since windows of
that minute may be closed. Lost input becomes a gap leaf in front of the batch's own. A log whose tail is lost goes on
only in a new epoch, whose leaf 0 cites the end of the old one, and only when ``audit.control`` says so. Heads are
signed where a signer is given.
"""

from base64 import b64decode, b64encode

import msgspec

from tamis.domain.audit.attestation import BatchSigner, attested
from tamis.domain.audit.leaf import MAX_LEAF_BYTES, Head, base64_of, encode_head
from tamis.domain.audit.merkle import Frontier, leaf_hashes
from tamis.domain.audit.notices import Opening, epoch_leaf, gap_leaf

IDLE_HEAD_MS = 60_000
"""Default of ``idle_head_ms``."""

_MINUTE_MS = 60_000


class LogTail(msgspec.Struct, frozen=True):
    """The end of a log as a new owner finds it: its last head and the leaves after that head (at least once only)."""

    head: Head | None = None
    leaves: tuple[bytes, ...] = ()


class AuditRefusedError(Exception):
    """The log cannot be continued; the message says what disagrees."""


class AuditLog:
    """Appends the leaves of batches of one input partition.

    Args:
        origin: of the log.
        idle_head_ms: how far the clock of an idle partition may move before a head without leaves is written; one is
            written in every new minute all the same.

    Attributes:
        signer: signs heads; may be exchanged between batches.
    """

    __slots__ = (
        "_frontier", "_headed_at", "_idle_head_ms", "_notices", "_opening", "_start", "clock", "next", "origin",
        "signer",
    )  # fmt: skip

    def __init__(self, origin: str, idle_head_ms: int = IDLE_HEAD_MS) -> None:
        self.origin = origin
        self.clock = 0
        self.next: int | None = None
        self.signer: BatchSigner | None = None
        self._frontier = Frontier()
        self._start = 0
        self._notices: list[bytes] = []
        self._opening: Opening | None = None
        self._idle_head_ms = idle_head_ms
        self._headed_at = 0

    @property
    def seq(self) -> int:
        """Index of the next leaf."""
        return self._frontier.n + len(self._notices)

    @property
    def root_text(self) -> str:
        """Tree head of the leaves so far, base64."""
        return b64encode(self._frontier.root()).decode()

    @classmethod
    def begin_epoch(
        cls, opening: Opening, committed: int | None, clock: int, idle_head_ms: int = IDLE_HEAD_MS
    ) -> "AuditLog":
        """A new epoch of a log.

        Args:
            opening: leave to begin it.
            committed: committed offset of the input, from which it decides.
            clock: the partition's clock as far as it is known, ms; 0 when the last head is gone.
            idle_head_ms: as in the constructor.
        """
        log = cls(str(opening.origin), idle_head_ms)
        log._opening, log.next = opening, committed or 0
        log.clock = log._headed_at = clock
        return log

    @classmethod
    def resume(
        cls,
        origin: str,
        tail: LogTail,
        committed: int | None,
        idle_head_ms: int = IDLE_HEAD_MS,
        *,
        at_least_once: bool = False,
    ) -> "AuditLog":
        """Continues after the last committed head.

        Args:
            origin: as in the constructor.
            tail: the end of the log.
            committed: committed offset of the input, None when nothing was committed.
            idle_head_ms: as in the constructor.
            at_least_once: log and offset are not written together: the log may be ahead, then events repeat in it.

        Raises:
            AuditRefusedError: log and committed offset disagree, or the head does not verify.
        """
        log = cls(origin, idle_head_ms)
        head = tail.head
        if head is None:
            if committed or (tail.leaves and not at_least_once):
                raise AuditRefusedError(f"{origin}: input is committed up to {committed} but the audit log has no head")
        elif head.log != origin:
            raise AuditRefusedError(f"{origin}: the last head belongs to {head.log}")
        else:
            agrees = head.next >= (committed or 0) if at_least_once else head.next == committed and not tail.leaves
            if not agrees:
                raise AuditRefusedError(f"{origin}: audit log ends before offset {head.next}, committed is {committed}")
            log._restore(head)
        log._frontier.extend(leaf_hashes(tail.leaves))
        log._start = log._frontier.n
        return log

    def _restore(self, head: Head) -> None:
        try:
            self._frontier = Frontier.from_peaks(head.n, [b64decode(peak) for peak in head.peaks])
        except ValueError as error:
            raise AuditRefusedError(f"{self.origin}: the last head is damaged") from error
        if b64encode(self._frontier.root()).decode() != head.root:
            raise AuditRefusedError(f"{self.origin}: peaks of the last head do not give its root")
        self.clock = self._headed_at = head.received_at
        self.next = head.next

    def notices(self, lost: tuple[int, int] | None, topic: str, partition: int) -> list[bytes]:
        """Begins a batch: the leaves that go in front of its own, to be written with them.

        Args:
            lost: source offsets that retention deleted unread, right before the batch.
            topic: source topic, without prefix.
            partition: of the source.
        """
        self._notices = []
        if self._opening is not None:
            self._notices.append(epoch_leaf(self._opening, self.next or 0, topic, partition, self.clock))
            self._opening = None
        if lost is not None:
            self._notices.append(gap_leaf(self.seq, lost, topic, partition, self.clock))
        return self._notices

    def append(
        self,
        leaves: list[bytes],
        counts: dict[str, int],
        first: int,
        next_: int,
        clock: int,
        lost: tuple[int, int] | None,
    ) -> bytes | None:
        """Adds a batch's leaves, behind its notices, and gives the head's bytes; None when there is nothing to record.

        An idle partition writes a head without leaves in every new minute: whoever takes over must not receive an event
        in a minute that windows have closed on the word of its clock.

        Raises:
            ValueError: a leaf is larger than 4 KiB.
        """
        self.clock, self.next = clock, next_
        notices, self._notices = self._notices, []
        if not leaves and not notices and lost is None and first == next_ and not self._must_tell(clock):
            return None
        if leaves and max(map(len, leaves)) > MAX_LEAF_BYTES:
            raise ValueError(f"{self.origin}: a leaf of more than {MAX_LEAF_BYTES} bytes")
        digests = leaf_hashes(notices + leaves)
        start, root = self._start, self._extend(digests)
        self._headed_at = clock
        head = Head(
            counts=counts,
            first=first,
            log=self.origin,
            lost=lost,
            n=self._frontier.n,
            next=next_,
            peaks=base64_of(self._frontier.peaks),
            received_at=clock,
            root=b64encode(root).decode(),
            start=start,
        )
        return encode_head(head if self.signer is None else self._signed(head, root, digests, self.signer))

    def _extend(self, digests: list[bytes]) -> bytes:
        self._frontier.extend(digests)
        self._start = self._frontier.n
        return self._frontier.root()

    def _signed(self, head: Head, root: bytes, digests: list[bytes], signer: BatchSigner) -> Head:
        batch = Frontier()
        if head.start:
            batch.extend(digests)
        message = attested(head.log, head.start, head.n, batch.root() if head.start else root, root)
        return msgspec.structs.replace(head, sig=b64encode(signer.sign(message)).decode(), wk=signer.id)

    def _must_tell(self, clock: int) -> bool:
        return clock // _MINUTE_MS > self._headed_at // _MINUTE_MS or clock - self._headed_at >= self._idle_head_ms
