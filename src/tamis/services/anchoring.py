"""Anchors a folder of sealed logs at an interval: all checkpoints in one text, stamped by an authority.

Rules: an anchor is made only when a checkpoint changed since the last one; the authority is asked in a thread of its
own; the timestamp is on disk before the text, so a text that is there is stamped; a failure is told and tried again
after a wait that doubles, never longer than the interval. Checkpoints that cannot follow those anchored before are a
fault: the folder or the sealer's state was rolled back.
"""

import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tamis.domain.audit.anchor import AnchorError, StampedText, next_anchor, parse_anchor
from tamis.domain.audit.note import Note, NoteError, parse_note
from tamis.domain.audit.tiles import CHECKPOINT_PATH
from tamis.services.stamping import StampError
from tamis.settings import SetupError
from tamis.stores.durable_file import place_file
from tamis.stores.sealed_folder import anchor_numbers, anchor_path, read_anchor

FIRST_WAIT_S = 5.0


class AnchorObserver(Protocol):
    """Told of anchors."""

    def anchored(self, number: int) -> None:
        """An anchor is on disk."""

    def not_anchored(self, why: str) -> None:
        """No authority stamped it; it will be tried again."""


class Anchoring:
    """Anchors one folder; ``step`` it often.

    Args:
        root: folder of all logs.
        stamp: text -> response of an authority; called in another thread.
        interval_s: between two anchors.
        clock: seconds that only go forward.
        observer: told what happens.

    Raises:
        SetupError: the newest anchor in the folder is damaged.
    """

    def __init__(
        self,
        root: Path,
        stamp: Callable[[bytes], bytes],
        interval_s: float,
        clock: Callable[[], float],
        observer: AnchorObserver,
    ) -> None:
        self._root, self._stamp, self._interval_s, self._clock = root, stamp, interval_s, clock
        self._observer = observer
        self._due = clock()
        self._wait_s = min(FIRST_WAIT_S, interval_s)
        self._answers: queue.SimpleQueue[tuple[bytes, bytes | Exception]] = queue.SimpleQueue()
        self._asking = False
        numbers = anchor_numbers(root)
        self._last = read_anchor(root, numbers[-1]) if numbers else None
        self._number = numbers[-1] if numbers else 0
        self._anchored = _notes_of(self._last)

    def step(self) -> None:
        """Take an answer, or ask when it is time. Never waits.

        Raises:
            SetupError: the checkpoints cannot follow those that were anchored.
        """
        if self._asking:
            if not self._answers.empty():
                self._asking = False
                self._take(*self._answers.get())
        elif self._clock() >= self._due:
            self._due = self._clock() + self._interval_s
            self._ask()

    def _ask(self) -> None:
        notes = self._current()
        if not notes or notes == self._anchored:
            return
        try:
            text = next_anchor(self._last, notes).encode()
        except (AnchorError, NoteError) as error:
            raise SetupError(f"{self._root}: {error}: the folder or the sealer's state was rolled back") from None
        self._asking = True
        threading.Thread(target=self._ask_authority, args=(text,), name="anchor", daemon=True).start()

    def _ask_authority(self, text: bytes) -> None:
        try:
            self._answers.put((text, self._stamp(text)))
        except Exception as fault:  # noqa: BLE001 - raised by the next step unless it is a StampError
            self._answers.put((text, fault))

    def _take(self, text: bytes, answer: bytes | Exception) -> None:
        if isinstance(answer, Exception):
            if not isinstance(answer, StampError):
                raise answer
            self._due = self._clock() + self._wait_s
            self._wait_s = min(2 * self._wait_s, self._interval_s)
            self._observer.not_anchored(str(answer))
            return
        self._wait_s = min(FIRST_WAIT_S, self._interval_s)
        self._number += 1
        path = anchor_path(self._root, self._number)
        place_file(path.with_suffix(".tsr"), answer)
        place_file(path, text)
        self._last = StampedText(text, answer)
        self._anchored = _notes_of(self._last)
        self._observer.anchored(self._number)

    def _current(self) -> tuple[Note, ...]:
        paths = self._root.glob(f"*/p*/e*/{CHECKPOINT_PATH}")
        notes = [parse_note(path.read_bytes()) for path in paths]
        return tuple(sorted(notes, key=lambda note: note.text.partition("\n")[0]))


def _notes_of(stored: StampedText | None) -> tuple[Note, ...]:
    if stored is None:
        return ()
    try:
        return parse_anchor(stored.text).notes
    except AnchorError as error:
        raise SetupError(f"the newest anchor cannot be followed: {error}") from None
