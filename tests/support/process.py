"""A command of the product in a process of its own, for tests that hurt it.

Rules: what it prints goes to a file; it leads a process group of its own and is ended by its id; an end that the test
asked for is told from one that nobody expected.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

CHECKOUT = Path(__file__).resolve().parents[2]
STOP_S = 40.0


class Process:
    """One running command of the product.

    Args:
        name: for messages and the log's name.
        command: program and arguments.
        log: file that gets what it prints.
    """

    def __init__(self, name: str, command: Sequence[str], log: Path) -> None:
        self.name, self.log, self.stopped = name, log, False
        with log.open("ab") as out:
            self._popen = subprocess.Popen(
                command,
                cwd=CHECKOUT,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Process id."""
        return self._popen.pid

    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._popen.poll()

    def said(self) -> str:
        """Everything it printed so far."""
        return self.log.read_text(errors="replace")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it and to what it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._popen.pid, number)

    def kill(self) -> None:
        """Kill -9; not counted as a surprise."""
        self.stopped = True
        self.signal(signal.SIGKILL)
        self._popen.wait()

    def stop(self) -> int:
        """Ask it to drain, wait, and give its exit code; killed when it does not end in time."""
        self.stopped = True
        with contextlib.suppress(ProcessLookupError):
            self._popen.terminate()  # only the process itself: a supervisor ends its own children
        return self.wait(STOP_S)

    def wait(self, seconds: float) -> int:
        """Wait for its end, give the exit code; killed when it does not end in time."""
        self.stopped = True
        try:
            return self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return self._popen.returncode
