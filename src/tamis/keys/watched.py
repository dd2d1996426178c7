"""Keys that follow their file: a rotated ring is taken up between two batches, without a restart.

Rules: the file is looked at when asked, at most once an ``interval``; a ring whose first root is another one, or which
lacks an epoch that was known, is a fault, since identities and withdrawals hang on them; so is a file that cannot be
used any more. A fault stops the worker, which is safer than going on with keys that may have been revoked.
Keys from the environment cannot change: they are taken up at a restart.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

from tamis.domain.epochs import Epochs
from tamis.keys.ring import KeyRing
from tamis.settings import SetupError

Stamp = tuple[int, int, int]


class WatchedKeys:
    """A ``ports.KeyProvider`` over a key file.

    Args:
        path: the file.
        read: gives its ring.
        interval_s: how often the file is looked at.
        clock: monotonic, s.

    Raises:
        SetupError: the file cannot be used.
    """

    def __init__(
        self,
        path: Path,
        read: Callable[[], KeyRing],
        interval_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path, self._read, self._interval_s, self._clock = path, read, interval_s, clock
        self._stamp, self._looked_at = self._look(), clock()
        self.ring = read()

    def newest(self) -> KeyRing:
        """The ring to use now.

        Raises:
            SetupError: the file has changed into one that cannot be used.
        """
        now = self._clock()
        if now - self._looked_at >= self._interval_s:
            self._looked_at = now
            stamp = self._look()
            if stamp != self._stamp:
                self._take(self._read())
                self._stamp = stamp
        return self.ring

    def derive(self, label: str) -> bytes:
        """See ``KeyRing.derive``."""
        return self.ring.derive(label)

    def epochs(self) -> Epochs:
        """See ``KeyRing.epochs``."""
        return self.ring.epochs()

    def _take(self, ring: KeyRing) -> None:
        if ring.roots[0].id != self.ring.roots[0].id:
            raise SetupError(f"{self._path}: the first root is another one than before: identities would change")
        lost = {root.epoch for root in self.ring.roots} - {root.epoch for root in ring.roots}
        if lost:
            raise SetupError(f"{self._path}: epoch {min(lost)} is gone, but destinations may hold records under it")
        self.ring = ring

    def _look(self) -> Stamp:
        try:
            status = os.stat(self._path)  # noqa: PTH116 - one call before each batch
        except OSError as error:
            raise SetupError(f"{self._path}: {error.strerror}") from None
        return status.st_ino, status.st_size, status.st_mtime_ns
