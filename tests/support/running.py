"""Running faust Apps inside a test's own event loop, and waiting for conditions with a deadline."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any

from tamis.streaming.run import serve_apps

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

READY_SECONDS = 60.0


@contextlib.asynccontextmanager
async def running(*apps: Any) -> AsyncIterator[asyncio.Task[int]]:
    """Start apps, yield the task whose result is the exit code, and drain the apps at the end."""
    stop, ready = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(serve_apps(apps, stop, ready=ready.set, exit_hard=False))
    waiting = asyncio.create_task(ready.wait())
    try:
        await asyncio.wait([waiting, task], timeout=READY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        yield task
    finally:
        waiting.cancel()
        stop.set()
        await task


async def until(condition: Callable[[], bool], what: str, seconds: float = 90.0) -> None:
    """Wait for a condition.

    Raises:
        TimeoutError: it did not come true in time; `what` is in the message.
    """
    deadline = time.monotonic() + seconds
    while not await asyncio.to_thread(condition):  # it may ask a broker, and must not hold up the apps
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds} s for: {what}")
        await asyncio.sleep(0.02)
