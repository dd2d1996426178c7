"""Goes on with another bundle between two batches: what a role makes of a selection, made when it is asked for.

Rules: a batch is decided by one bundle; each part of a worker changes at its own next batch; what is not new is kept.
Keys, sessions and what senders may not see follow: the keyring of a new bundle is derived before its first batch, and
so is that of a rotated key ring.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

from tamis.domain.selection import Selection

Made = TypeVar("Made")
Feed = Callable[[], Selection]
"""Gives the newest selection; cheap, asked before each batch."""


class Switch(Generic[Made]):
    """One part of a worker that depends on the bundle.

    Args:
        feed: the newest selection.
        make: (selection, what was in use) -> what to go on with.
        told: called with each selection after the first, once its part is made.
        ring: the keys in use; the part is made anew when they are other ones.
    """

    __slots__ = ("_feed", "_keys", "_make", "_ring", "_selection", "_told", "made")

    def __init__(
        self,
        feed: Feed,
        make: Callable[[Selection, Made | None], Made],
        told: Callable[[Selection], None],
        ring: Callable[[], object] = lambda: None,
    ) -> None:
        self._feed, self._make, self._told, self._ring = feed, make, told, ring
        self._selection, self._keys = feed(), ring()
        self.made = make(self._selection, None)

    def newer(self) -> Made | None:
        """What to go on with, None to keep what is in use."""
        selection, keys, before = self._feed(), self._ring(), self._selection
        if selection is before and keys is self._keys:
            return None
        self.made = self._make(selection, self.made)
        self._selection, self._keys = selection, keys
        if selection is not before:
            self._told(selection)
        return self.made
