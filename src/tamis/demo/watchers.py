"""Who watches a demo: a live panel on a terminal, or plain lines anywhere else.

Rules: both implement ``demo.run.DemoWatcher``; plain lines come every ``EVERY_S`` seconds and whenever an incident
opens or closes; the live panel ends with its last state on the screen.
"""

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live

from tamis.demo.ledger import DemoLedger
from tamis.demo.producer import Produced
from tamis.demo.state import DemoState
from tamis.demo.traffic.plan import Plan
from tamis.demo.view import incident_line, plain_line, render

EVERY_S = 3.0
Clock = Callable[[], float]


class LiveWatcher:
    """Draws the panel; a context manager around the run.

    Args:
        console: where to.
        clock: seconds, monotonic.
    """

    def __init__(self, console: Console, clock: Clock = time.monotonic) -> None:
        self._live = Live(console=console, auto_refresh=False, transient=False)
        self._clock = clock
        self.state: DemoState | None = None

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def prepare(self, text: str) -> None:
        """What is being set up."""
        self._live.console.print(f"{text} ...")

    def begin(self, plan: Plan, folder: Path) -> None:
        """Traffic begins."""
        self.state = DemoState(plan, folder, self._clock())
        self._live.update(render(self.state), refresh=True)

    def tick(self, produced: Produced, ledger: DemoLedger, gate: str | None) -> None:
        """New numbers."""
        if self.state is not None:
            self.state.take(produced, ledger, gate, self._clock())
            self._live.update(render(self.state), refresh=True)


class PlainWatcher:
    """Prints lines; a context manager like the live one.

    Args:
        echo: prints a line.
        clock: seconds, monotonic.
    """

    def __init__(self, echo: Callable[[str], None], clock: Clock = time.monotonic) -> None:
        self._echo = echo
        self._clock = clock
        self._next = 0.0
        self._told: set[str] = set()
        self.state: DemoState | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.state is not None:
            self._echo(plain_line(self.state))

    def prepare(self, text: str) -> None:
        """What is being set up."""
        self._echo(f"{text} ...")

    def begin(self, plan: Plan, folder: Path) -> None:
        """Traffic begins."""
        self.state = DemoState(plan, folder, self._clock())
        self._next = self._clock() + EVERY_S
        self._echo(f"traffic begins: {plan.minutes} simulated minutes; {self.state.fault_text}")

    def tick(self, produced: Produced, ledger: DemoLedger, gate: str | None) -> None:
        """New numbers."""
        if self.state is None:
            return
        self.state.take(produced, ledger, gate, self._clock())
        for incident in self.state.incidents:
            told = f"{incident.alert.id} {incident.open}"
            if told not in self._told:
                self._told.add(told)
                self._echo(f"incident {incident_line(incident)}")
        if self._clock() >= self._next:
            self._next = self._clock() + EVERY_S
            self._echo(plain_line(self.state))
