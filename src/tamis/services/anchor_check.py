"""Checks the anchors of a folder of sealed logs: chain, timestamps, and that the logs still hold what was anchored.

Rules: every anchor follows the one before and is stamped by a trusted authority, not earlier than the one before; every
checkpoint in it is signed by a key that speaks for its log, and the log's tiles give its root at its size. So a log cut
off, rewritten or forked after an anchor shows here even where its own checkpoint and tiles agree. Nor may an anchored
log hold what was received after the stamp (times of receipt never go back, so its last leaf speaks for all). All
anchors are looked at.
"""

import datetime as dt
from collections.abc import Sequence

import msgspec
from cryptography.x509 import Certificate

from tamis.domain.audit.anchor import Anchor, AnchorChain, AnchorError, StampedText
from tamis.domain.audit.checkpoint import open_checkpoint, parse_checkpoint
from tamis.domain.audit.note import Note, NoteError, VerifierKey
from tamis.domain.audit.proof import range_root
from tamis.domain.audit.timestamp import TimestampError, ahead_of, stamped_at
from tamis.domain.audit.trust import log_keys
from tamis.settings import SetupError
from tamis.stores.sealed_folder import CONTROL, SealedFolder


class AnchorFailure(msgspec.Struct, frozen=True):
    """One thing that is wrong, with the number of the anchor."""

    anchor: int
    detail: str


class AnchorReport(msgspec.Struct, frozen=True):
    """What the check found.

    Attributes:
        anchors: looked at.
        first, last: times of the first and last timestamp that verified, None without one.
        covered: origin -> leaves under the newest anchor that holds it.
        failures: in order.
    """

    anchors: int
    first: dt.datetime | None
    last: dt.datetime | None
    covered: dict[str, int]
    failures: tuple[AnchorFailure, ...]

    @property
    def ok(self) -> bool:
        """There are anchors, and nothing is wrong with them."""
        return self.anchors > 0 and not self.failures


class AnchorCheck:
    """One pass over a folder's anchors.

    Args:
        folder: of sealed logs.
        keys: of logs; none: signatures of anchored checkpoints are left out.
        authorities: trusted certificates of timestamp authorities.
    """

    def __init__(self, folder: SealedFolder, keys: Sequence[VerifierKey], authorities: Sequence[Certificate]) -> None:
        self._folder, self._keys, self._authorities = folder, keys, authorities
        self._chain = AnchorChain()
        self._times: list[dt.datetime] = []
        self._covered: dict[str, int] = {}
        self._failures: list[AnchorFailure] = []
        self._seen: set[str] = set()

    def run(self) -> AnchorReport:
        """Check all.

        Raises:
            SetupError: a file of an anchor is missing.
        """
        count = 0
        for number, stored in self._folder.anchors():
            count += 1
            anchor = self._follow(number, stored)
            stamped = self._stamp(number, stored)
            for note in anchor.notes if anchor else ():
                self._hold(number, note, stamped)
        times = self._times
        first, last = (times[0], times[-1]) if times else (None, None)
        return AnchorReport(count, first, last, self._covered, tuple(self._failures))

    def _follow(self, number: int, stored: StampedText) -> Anchor | None:
        try:
            return self._chain.follow(stored)
        except AnchorError as error:
            self._fail(number, str(error))
            return None

    def _stamp(self, number: int, stored: StampedText) -> dt.datetime | None:
        try:
            time = stamped_at(stored.stamp, stored.text, self._authorities)
        except TimestampError as error:
            self._fail(number, str(error))
            return None
        if self._times and time < self._times[-1]:
            self._fail(number, f"stamped at {time:%Y-%m-%d %H:%M:%S}, before the anchor before it")
        self._times.append(time)
        return time

    def _hold(self, number: int, note: Note, stamped: dt.datetime | None) -> None:
        """One anchored checkpoint; the same one in later anchors is looked at once."""
        if str(note) in self._seen:
            return
        self._seen.add(str(note))
        try:
            self._checkpoint(note, stamped)
        except (NoteError, SetupError, ValueError) as error:
            self._fail(number, str(error))

    def _checkpoint(self, note: Note, stamped: dt.datetime | None) -> None:
        origin = note.text.partition("\n")[0]
        keys = log_keys(self._keys, origin)
        if self._keys and not keys:
            raise NoteError(f"{origin}: none of the given keys speaks for this log")
        checkpoint = open_checkpoint(str(note), keys)[0] if keys else parse_checkpoint(note.text)
        log = self._folder.log(origin)
        if log is None:
            raise NoteError(f"{origin}: anchored with {checkpoint.size:,} leaves, but the log is not in the folder")
        if checkpoint.size > log.size:
            raise NoteError(
                f"{origin}: anchored with {checkpoint.size:,} leaves, but the log has only {log.size:,}: it was cut off"
            )
        if range_root(log.node(), 0, checkpoint.size) != checkpoint.root:
            raise NoteError(f"{origin}: its first {checkpoint.size:,} leaves are not those that were anchored")
        decided = checkpoint.size and log.origin.log != CONTROL
        if stamped and decided and ahead_of(log.entry(checkpoint.size - 1), stamped):
            raise NoteError(
                f"{origin}: leaf {checkpoint.size - 1:,} says it was received after this anchor was stamped"
            )
        self._covered[origin] = checkpoint.size

    def _fail(self, number: int, detail: str) -> None:
        self._failures.append(AnchorFailure(number, detail))
