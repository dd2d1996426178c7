"""``intake.control``: whether intake is paused; compacted, one key for the last pause and one for the last resumption.

Rules: intake is paused while the last pause is of a later minute than the last resumption covers; so several workers
may say the same, and what came late changes nothing.
"""

import msgspec

from tamis.domain.refused_share import Excess

PAUSED, RESUMED = b"paused", b"resumed"


class Resumed(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody let intake go on.

    Attributes:
        minute: minutes up to this one count no more, epoch minutes.
        at: ms.
    """

    minute: int
    at: int


class PauseState:
    """What the topic says so far; feed it every record in order.

    Attributes:
        paused: the last pause.
        resumed: the last resumption.
    """

    def __init__(self) -> None:
        self.paused: Excess | None = None
        self.resumed: Resumed | None = None

    def apply(self, key: bytes | None, value: bytes | None) -> None:
        """Take the next record; what is none of ours is passed over."""
        if value is None:
            return
        try:
            if key == PAUSED:
                self._pause(msgspec.json.decode(value, type=Excess))
            elif key == RESUMED:
                self._resume(msgspec.json.decode(value, type=Resumed))
        except (msgspec.DecodeError, UnicodeDecodeError):
            return

    def _pause(self, found: Excess) -> None:
        if self.paused is None or found.minute > self.paused.minute:
            self.paused = found

    def _resume(self, found: Resumed) -> None:
        if self.resumed is None or found.minute > self.resumed.minute:
            self.resumed = found

    @property
    def covered(self) -> int:
        """Minutes up to this one count no more."""
        return -1 if self.resumed is None else self.resumed.minute

    @property
    def active(self) -> Excess | None:
        """The pause that holds, None while intake may go on."""
        return self.paused if self.paused is not None and self.paused.minute > self.covered else None


encode_pause = msgspec.json.Encoder().encode
"""An ``Excess`` or a ``Resumed`` as it is written (JSON)."""
