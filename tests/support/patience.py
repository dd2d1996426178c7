"""How long a test waits for what must come.

Rules: a wait that ran out is a `TimeoutError` and nothing else is, so that `run_all` can tell a machine that was busy
(tried once more, and said) from a wrong result (never tried again).
"""

from __future__ import annotations

import time


class Deadline:
    """The end of a wait.

    Args:
        seconds: from now.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def check(self, what: object = "") -> None:
        """Nothing while there is time.

        Raises:
            TimeoutError: there is none left; `what` says what was waited for, and what is known.
        """
        if time.monotonic() > self._end:
            raise TimeoutError(f"waited {self._seconds:g} s for {what}")
