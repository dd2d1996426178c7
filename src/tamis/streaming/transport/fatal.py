"""Crash-only: any fault of the streaming edge ends the worker, and the supervisor starts a new one.

Rules: nothing is retried in the process; offsets that were not committed are read again by the next worker. The app is
marked as crashed; whoever runs it (`tamis.streaming.app.run_apps`) ends the process.
"""

from __future__ import annotations

from typing import Any


async def die(app: Any, fault: BaseException) -> None:
    """Report a fault and crash the app.

    Args:
        app: the faust App.
        fault: what happened; its class name is reported as the kind.
    """
    if app.transport.fault is not None:  # dying already
        return
    app.transport.fault = fault
    app.log.critical("FATAL %s: %r", app.conf.id, fault)
    app.transport.observer.fatal(type(fault).__name__)
    if app.transport.on_fatal is not None:
        app.transport.on_fatal(fault)
    await app.crash(fault)
