"""Logs of a process: one line an entry on standard error, for people or as JSON, with nothing of a sender in it.

Rules: entries of other libraries (Faust, aiokafka, asyncio) take the same way out as ours; their exceptions and bytes
are made safe before they become text, and they are shown from "warning" on, or from "info" when our level is "debug"
(at "debug" aiokafka prints whole requests). What nobody caught is an entry too, not a traceback with its message.
Not handled here: lines of ``tamis run`` about its processes (``services.child``); the line ``error: ...`` of a command
that refuses to go on (``cli.main``).
"""

import logging
import sys
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.stdlib import ProcessorFormatter

from tamis.settings import TelemetrySettings
from tamis.telemetry.redaction import exception_by_place, only_allowed, plain

FOREIGN: Mapping[str, int] = {
    "faust": logging.WARNING,
    "mode": logging.WARNING,
    "mode.timers": logging.ERROR,  # a timer that overlaps or drifts: on a busy machine many a minute
    "aiokafka": logging.WARNING,
    "asyncio": logging.WARNING,
}


class SafeRecords(logging.Filter):
    """Makes the arguments of other libraries' records safe; lets every record through."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Called by the handler before the text is made."""
        if isinstance(record.msg, dict):  # ours: made safe by the processors
            return True
        record.msg = record.msg if isinstance(record.msg, str) else plain(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(_safe(value) for value in record.args)
        elif record.args:
            record.args = {name: _safe(value) for name, value in record.args.items()}
        if record.name == "asyncio":  # its text goes on with the repr of a task and of what it raised
            record.msg, record.args = record.getMessage().partition("\n")[0], ()
        return True


def configure_logs(settings: TelemetrySettings, stream: TextIO | None = None) -> None:
    """Set up logging for this process.

    Args:
        settings: level and format.
        stream: where lines go; None for standard error.
    """
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    out = stream or sys.stderr
    handler = logging.StreamHandler(out)
    handler.addFilter(SafeRecords())
    handler.setFormatter(_formatter(settings.log_format, colors=out.isatty()))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, least in FOREIGN.items():
        logging.getLogger(name).setLevel(logging.INFO if level == logging.DEBUG else max(level, least))
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *_shared(), ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    sys.excepthook = _uncaught
    threading.excepthook = lambda given: _uncaught(given.exc_type, given.exc_value, given.exc_traceback)


def _shared() -> list[Any]:
    return [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(allow=()),
    ]


def _formatter(log_format: str, *, colors: bool) -> logging.Formatter:
    render: Any = structlog.processors.JSONRenderer(sort_keys=False)
    if log_format == "console":
        render = structlog.dev.ConsoleRenderer(colors=colors)
    return ProcessorFormatter(
        foreign_pre_chain=_shared(),
        processors=[ProcessorFormatter.remove_processors_meta, exception_by_place, only_allowed, render],
    )


def _safe(value: object) -> object:
    return plain(value) if isinstance(value, (BaseException, bytes, bytearray, memoryview)) else value


def _uncaught(kind: type[BaseException], error: BaseException | None, traceback: TracebackType | None) -> None:
    if error is None or issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("tamis").critical("uncaught", exc_info=(kind, error, traceback))
