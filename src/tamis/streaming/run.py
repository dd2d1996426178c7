"""Runs several Faust apps in one process and event loop.

Rules: crash-only. A fault of any app ends the process with exit code 70 and leaves restarting to a supervisor; SIGTERM
and SIGINT let agents finish the batches in hand, commit them and leave the group, then the exit code is 0.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

EXIT_STOPPED = 0
EXIT_FATAL = 70
GRACE_SECONDS = 10.0
DRAIN_SECONDS = 60.0
GC_THRESHOLDS = (50_000, 20, 50)  # a batch makes thousands of short-lived objects; the default scans 5 times a batch


def run_apps(apps: Sequence[Any], *, ready: Callable[[], None] | None = None) -> int:
    """Run apps in this process until a signal or a fault; the main thread only.

    Args:
        apps: apps made by `make_app`.
        ready: called once all apps are started and their tables restored.

    Returns:
        The exit code: 0 after a signal, 70 after a fault.
    """
    return asyncio.run(_until_signal(apps, ready))


async def _until_signal(apps: Sequence[Any], ready: Callable[[], None] | None) -> int:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return await serve_apps(apps, stop, ready=ready)


async def serve_apps(
    apps: Sequence[Any], stop: asyncio.Event, *, ready: Callable[[], None] | None = None, exit_hard: bool = True
) -> int:
    """Run apps on the current event loop until `stop` is set or one of them has a fault.

    Args:
        apps: apps made by `make_app`.
        stop: set it to drain and return.
        ready: called once all apps are started and their tables restored.
        exit_hard: after a fault, end the process if stopping takes longer than the grace period.

    Returns:
        The exit code: 0 when stopped, 70 after a fault.
    """
    run = _Run(apps, exit_hard=exit_hard)
    ends = [asyncio.ensure_future(stop.wait()), asyncio.ensure_future(run.fatal.wait())]
    start = asyncio.ensure_future(run.start())
    try:
        await asyncio.wait([*ends, start], return_when=asyncio.FIRST_COMPLETED)
        if start.done() and not run.fatal.is_set():
            _tune_gc()
            if ready is not None:
                ready()
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in ends:
            task.cancel()
        await run.stop()
        start.cancel()
    return EXIT_FATAL if run.fatal.is_set() else EXIT_STOPPED


class _Run:
    """Apps that live and die together."""

    def __init__(self, apps: Sequence[Any], *, exit_hard: bool) -> None:
        self.fatal = asyncio.Event()
        self._apps, self._exit_hard = apps, exit_hard
        self._watches = [asyncio.ensure_future(self._watch(app)) for app in apps]
        for app in apps:
            app.transport.on_fatal = self._on_fatal

    async def start(self) -> None:
        await asyncio.gather(*map(self._start, self._apps))

    async def _start(self, app: Any) -> None:
        try:
            await app.start()
        except Exception as fault:  # noqa: BLE001 - whatever it is, the app is not running
            app.log.critical("FATAL %s cannot start: %r", app.conf.id, fault)
            self._on_fatal(fault)

    async def _watch(self, app: Any) -> None:
        await app.wait_until_stopped()  # also when it crashed by a way that does not report
        self.fatal.set()

    def _on_fatal(self, _fault: BaseException) -> None:
        self.fatal.set()
        if self._exit_hard:
            timer = threading.Timer(GRACE_SECONDS + 1, os._exit, (EXIT_FATAL,))
            timer.daemon = True
            timer.start()

    async def stop(self) -> None:
        for watch in self._watches:
            watch.cancel()
        stops = asyncio.gather(*(app.stop() for app in self._apps), return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stops, GRACE_SECONDS if self.fatal.is_set() else DRAIN_SECONDS)


def _tune_gc() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
