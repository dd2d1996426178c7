"""A thread of the demo that works until it is asked to stop, and whose fault is raised where it is stopped."""

import threading
from collections.abc import Callable


class GuardedThread:
    """Runs ``work`` once.

    Args:
        name: of the thread.
        work: looks at ``stopping`` and returns when that is true.
    """

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        self._work = work
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._fault: BaseException | None = None

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stopping(self) -> bool:
        """Whether it was asked to end."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Ask it to end, and wait.

        Raises:
            Exception: what made it end early.
        """
        self._stop.set()
        self._thread.join()
        if self._fault is not None:
            raise self._fault

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as fault:  # noqa: BLE001 - handed to whoever stops it
            self._fault = fault
