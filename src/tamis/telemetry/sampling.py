"""Calls a function every few seconds on the event loop: for what can only be asked from the loop's own thread.

Rules: the next call is set before this one is made, so a sample that fails is an entry in the log, not the last one.
"""

import asyncio
from collections.abc import Callable

INTERVAL_S = 2.0


class Sampler:
    """Samples until the loop ends.

    Args:
        sample: quick, no I/O that can block.
        interval_s: from one call to the next.
    """

    def __init__(self, sample: Callable[[], None], interval_s: float = INTERVAL_S) -> None:
        self._sample = sample
        self._interval_s = interval_s

    def start(self) -> None:
        """Sample now and go on; call it on the event loop, once."""
        asyncio.get_running_loop().call_later(self._interval_s, self.start)
        self._sample()
