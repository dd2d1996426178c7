"""Anchors: one text that fixes the checkpoints of all logs at once, chained to the anchor before it.

Rules: the first lines are header, number (from 1), and SHA-256 of the anchor before it and of that one's timestamp in
hexadecimal (64 zeros for the first); then come the signed checkpoints verbatim, sorted by origin, one for each log,
each behind an empty line. A log's size never goes down from one anchor to the next and a log once in the chain stays in
it. Whoever holds a timestamp of the newest anchor holds one of every anchor before it. Not here: timestamps
(``timestamp``), files, and whether a checkpoint's root is that of its leaves.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256

import msgspec

from tamis.domain.audit.checkpoint import Checkpoint, parse_checkpoint
from tamis.domain.audit.note import Note, NoteError, parse_note

HEADER = "tamis-anchor@v1"
NO_ANCHOR = "0" * 64
_HEAD = re.compile(
    rf"{re.escape(HEADER)}\nanchor ([1-9][0-9]{{0,17}})\nprevious ([0-9a-f]{{64}})\nstamp ([0-9a-f]{{64}})\n"
)


class AnchorError(ValueError):
    """An anchor that is not well formed or does not follow the one before it; the message says what is wrong."""


class StampedText(msgspec.Struct, frozen=True):
    """An anchor as it is stored.

    Attributes:
        text: of the anchor.
        stamp: the authority's response over it, DER.
    """

    text: bytes
    stamp: bytes


class Anchor(msgspec.Struct, frozen=True):
    """One anchor.

    Attributes:
        number: from 1.
        previous: SHA-256 of the text before it, hexadecimal.
        stamp: SHA-256 of the timestamp of the text before it, hexadecimal.
        notes: signed checkpoints, sorted by origin.
    """

    number: int
    previous: str
    stamp: str
    notes: tuple[Note, ...]

    def __str__(self) -> str:
        head = f"{HEADER}\nanchor {self.number}\nprevious {self.previous}\nstamp {self.stamp}\n"
        return "\n".join([head, *map(str, self.notes)])

    def encode(self) -> bytes:
        """The text as it is stored and stamped."""
        return str(self).encode()

    def checkpoints(self) -> list[Checkpoint]:
        """What the notes say.

        Raises:
            NoteError: a note is no checkpoint.
        """
        return [parse_checkpoint(note.text) for note in self.notes]


def digest(stored: bytes) -> str:
    """How one anchor cites another: SHA-256 in hexadecimal."""
    return sha256(stored).hexdigest()


def next_anchor(before: StampedText | None, notes: Iterable[Note]) -> Anchor:
    """The anchor of these checkpoints that follows ``before``; None makes the first.

    Raises:
        AnchorError: ``before`` is no anchor, or the checkpoints do not follow it.
    """
    last = None if before is None else parse_anchor(before.text)
    anchor = Anchor(
        number=last.number + 1 if last else 1,
        previous=digest(before.text) if before else NO_ANCHOR,
        stamp=digest(before.stamp) if before else NO_ANCHOR,
        notes=tuple(sorted(notes, key=lambda note: note.text.partition("\n")[0])),
    )
    _follow(last, before, anchor)
    return anchor


def parse_anchor(text: bytes) -> Anchor:
    """An anchor, no signature verified.

    Raises:
        AnchorError: it is not one, byte for byte.
    """
    try:
        head, *parts = text.decode().split("\n\n")
        found = _HEAD.fullmatch(head + "\n")
        notes = tuple(parse_note(f"{body}\n\n{_ended(signed)}") for body, signed in _pairs(parts))
    except (UnicodeDecodeError, NoteError) as error:
        raise AnchorError(f"not an anchor: {error}") from None
    if found is None or not notes:
        raise AnchorError("not an anchor: header, number, previous digest and checkpoints are due")
    anchor = Anchor(int(found[1]), found[2], found[3], notes)
    if anchor.encode() != text:
        raise AnchorError("not an anchor: it is not written in the one way an anchor is")
    try:
        origins = [checkpoint.origin for checkpoint in anchor.checkpoints()]
    except NoteError as error:
        raise AnchorError(f"not an anchor: {error}") from None
    if any(left >= right for left, right in itertools.pairwise(origins)):
        raise AnchorError("its checkpoints are not sorted by origin, one for each log")
    return anchor


class AnchorChain:
    """Follows a chain of stored anchors from the first."""

    def __init__(self) -> None:
        self._last: Anchor | None = None
        self._stored: StampedText | None = None

    def follow(self, stored: StampedText) -> Anchor:
        """Take the next stored anchor.

        Raises:
            AnchorError: it is none, or not the one that follows.
        """
        anchor = parse_anchor(stored.text)
        _follow(self._last, self._stored, anchor)
        self._last, self._stored = anchor, stored
        return anchor


def _pairs(parts: Sequence[str]) -> Iterator[tuple[str, str]]:
    if len(parts) % 2:
        raise AnchorError("not an anchor: a checkpoint without signatures")
    return zip(parts[::2], parts[1::2], strict=True)


def _ended(signed: str) -> str:
    return signed if signed.endswith("\n") else f"{signed}\n"


def _follow(last: Anchor | None, before: StampedText | None, anchor: Anchor) -> None:
    due = last.number + 1 if last else 1
    if anchor.number != due:
        raise AnchorError(f"anchor {anchor.number} where {due} is due")
    cited = (digest(before.text), digest(before.stamp)) if before else (NO_ANCHOR, NO_ANCHOR)
    if (anchor.previous, anchor.stamp) != cited:
        raise AnchorError(f"anchor {anchor.number} does not cite the anchor before it and its timestamp")
    sizes = {checkpoint.origin: checkpoint for checkpoint in anchor.checkpoints()}
    for old in last.checkpoints() if last else ():
        new = sizes.get(old.origin)
        if new is None:
            raise AnchorError(f"anchor {anchor.number} leaves out {old.origin}")
        if new.size < old.size:
            raise AnchorError(f"anchor {anchor.number}: {old.origin} shrinks from {old.size} to {new.size}")
        if new.size == old.size and new.root != old.root:
            raise AnchorError(f"anchor {anchor.number}: {old.origin} has another root at size {old.size}")
