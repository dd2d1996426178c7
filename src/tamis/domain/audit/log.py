"""State of one partition's audit log between batches, and how a take-over resumes it.

Rules: one log per input partition; leaves are numbered without gaps; the head's ``next`` must equal the committed
offset of the input, else the log's tail was lost or offsets were reset and the log is not continued; the clock never
goes back within an ownership, and across one never to a minute before one it was told in, since windows of that minute
may be closed.
Not handled here: opening a new epoch after a refusal.
"""

from base64 import b64decode, b64encode

import msgspec

from tamis.domain.audit.leaf import Head, base64_of, encode_head
from tamis.domain.audit.merkle import Frontier, leaf_hashes

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
        origin: "<topic>/<partition>" of the input.
        idle_head_ms: how far the clock of an idle partition may move before a head without leaves is written; one is
            written in every new minute all the same.
    """

    __slots__ = ("_frontier", "_headed_at", "_idle_head_ms", "clock", "next", "origin")

    def __init__(self, origin: str, idle_head_ms: int = IDLE_HEAD_MS) -> None:
        self.origin = origin
        self.clock = 0
        self.next: int | None = None
        self._frontier = Frontier()
        self._idle_head_ms = idle_head_ms
        self._headed_at = 0

    @property
    def seq(self) -> int:
        """Index of the next leaf."""
        return self._frontier.n

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

    def append(
        self,
        leaves: list[bytes],
        counts: dict[str, int],
        first: int,
        next_: int,
        clock: int,
        lost: tuple[int, int] | None,
    ) -> bytes | None:
        """Adds a batch's leaves and gives the head's bytes; None when nothing happened that a head must record.

        An idle partition writes a head without leaves in every new minute: whoever takes over must not receive an event
        in a minute that windows have closed on the word of its clock.
        """
        self.clock, self.next = clock, next_
        if not leaves and lost is None and first == next_ and not self._must_tell(clock):
            return None
        start = self._frontier.n
        self._frontier.extend(leaf_hashes(leaves))
        self._headed_at = clock
        return encode_head(
            Head(
                counts=counts,
                first=first,
                log=self.origin,
                lost=lost,
                n=self._frontier.n,
                next=next_,
                peaks=base64_of(self._frontier.peaks),
                received_at=clock,
                root=b64encode(self._frontier.root()).decode(),
                start=start,
            )
        )

    def _must_tell(self, clock: int) -> bool:
        return clock // _MINUTE_MS > self._headed_at // _MINUTE_MS or clock - self._headed_at >= self._idle_head_ms
