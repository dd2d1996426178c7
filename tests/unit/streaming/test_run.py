"""Apps live and die together; exit codes tell which."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from tamis.streaming.run import EXIT_FATAL, EXIT_STOPPED, serve_apps


class App:
    """The part of a faust App that running needs."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.transport, self.log, self.conf = self, logging.getLogger("test"), type("Conf", (), {"id": "app"})
        self.on_fatal: Any = None
        self.started = self.stopped = False
        self.ended = asyncio.Event()
        self._refuses = refuses

    async def start(self) -> None:
        if self._refuses:
            raise ConnectionError("no broker")
        self.started = True

    async def wait_until_stopped(self) -> None:
        await self.ended.wait()

    async def stop(self) -> None:
        self.stopped = True
        self.ended.set()


async def _serve(apps: list[App], stop: asyncio.Event, when_ready: Any) -> int:
    return await asyncio.wait_for(serve_apps(apps, stop, ready=when_ready, exit_hard=False), 5)


def test_stop_drains_all_apps() -> None:
    async def scene() -> None:
        apps, stop = [App(), App()], asyncio.Event()
        assert await _serve(apps, stop, stop.set) == EXIT_STOPPED
        assert all(app.started and app.stopped for app in apps)

    asyncio.run(scene())


def test_a_reported_fault_stops_all_apps() -> None:
    async def scene() -> None:
        apps = [App(), App()]
        code = await _serve(apps, asyncio.Event(), lambda: apps[1].on_fatal(RuntimeError("poison")))
        assert (code, [app.stopped for app in apps]) == (EXIT_FATAL, [True, True])

    asyncio.run(scene())


def test_an_app_that_ends_without_a_word_is_a_fault() -> None:
    async def scene() -> None:
        apps = [App(), App()]
        assert await _serve(apps, asyncio.Event(), apps[0].ended.set) == EXIT_FATAL
        assert apps[1].stopped

    asyncio.run(scene())


def test_an_app_that_cannot_start_is_a_fault(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        ready: list[int] = []
        apps = [App(), App(refuses=True)]
        assert await _serve(apps, asyncio.Event(), lambda: ready.append(1)) == EXIT_FATAL
        assert (ready, apps[0].stopped) == ([], True)

    asyncio.run(scene())
    assert "no broker" in caplog.text


def test_a_cancelled_run_drains() -> None:
    async def scene() -> None:
        apps, ready = [App()], asyncio.Event()
        task = asyncio.create_task(serve_apps(apps, asyncio.Event(), ready=ready.set, exit_hard=False))
        await asyncio.wait_for(ready.wait(), 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert apps[0].stopped

    asyncio.run(scene())
