"""Logs show what they must and nothing that a sender wrote, whoever logs and however it fails."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from tamis.metrics.windows import LateCellError
from tamis.settings import TelemetrySettings
from tamis.telemetry.logs import FOREIGN, configure_logs

if TYPE_CHECKING:
    from collections.abc import Iterator

CANARY = "zoe@example.test"


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook)
    before = root.handlers[:], root.level, {name: logging.getLogger(name).level for name in FOREIGN}
    stream = io.StringIO()
    configure_logs(TelemetrySettings(log_format="json"), stream)
    yield stream
    sys.excepthook, threading.excepthook = hooks
    root.handlers[:], levels = before[0], before[2]
    root.setLevel(before[1])
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    structlog.reset_defaults()


def entries(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_entry_has_time_level_logger_and_fields(out: io.StringIO) -> None:
    structlog.get_logger("tamis.edge").info("gate closed", topic="events.raw", reason="no_replica")
    (entry,) = entries(out)
    assert entry.pop("timestamp").endswith("Z")
    assert entry == {
        "event": "gate closed", "level": "info", "logger": "tamis.edge", "topic": "events.raw", "reason": "no_replica",
    }  # fmt: skip


def test_a_key_that_is_not_listed_is_withheld_and_counted(out: io.StringIO) -> None:
    structlog.get_logger("tamis.x").warning("odd", user_id=CANARY, payload={"email": CANARY}, count=2)
    logging.getLogger("tamis.y").warning("odd", extra={"user_id": CANARY})
    ours, standard = entries(out)
    assert CANARY not in out.getvalue()
    assert (ours["count"], ours["withheld"]) == (2, 2)
    assert standard["event"] == "odd"


def test_listed_keys_show_plain_values_only(out: io.StringIO) -> None:
    structlog.get_logger("tamis.x").warning("odd", state={"email": CANARY}, why=KeyError(CANARY), reason=b"zoe")
    (entry,) = entries(out)
    assert (entry["state"], entry["why"], entry["reason"]) == ("<dict>", "KeyError", "<bytes>")


def _fail() -> None:
    email = CANARY
    try:
        int(email)
    except ValueError as error:
        raise KeyError(f"bad {email}") from error


@pytest.mark.parametrize("library", ["structlog", "standard", "arguments", "message"])
def test_an_exception_shows_types_and_places(out: io.StringIO, library: str) -> None:
    try:
        _fail()
    except KeyError as fault:
        if library == "structlog":
            structlog.get_logger("tamis.x").exception("failed")
        elif library == "standard":
            logging.getLogger("faust.agents").exception("failed")
        elif library == "arguments":
            logging.getLogger("faust.app").critical("FATAL %s: %r", "app", fault)
        else:
            logging.getLogger("faust.app").critical(fault)
    (entry,) = entries(out)
    assert "zoe" not in out.getvalue()
    if library in {"structlog", "standard"}:
        assert entry["error"] == "KeyError from ValueError"
        assert "telemetry/test_logs.py" in entry["where"]
        assert " _fail < " in entry["where"]
    else:
        assert "KeyError from ValueError" in entry["event"]


def test_messages_of_our_own_faults_are_shown(out: io.StringIO) -> None:
    fault = LateCellError("events.raw/3: a cell of minute 7, but 8 is closed")
    logging.getLogger("faust.app").critical("FATAL %s: %r", "app", fault)
    assert "minute 7, but 8 is closed" in entries(out)[0]["event"]


async def _forgotten() -> None:
    asyncio.get_running_loop().call_soon(_fail)
    await asyncio.sleep(0)


def test_a_fault_in_the_event_loop_shows_its_place(out: io.StringIO) -> None:
    asyncio.run(_forgotten())
    (entry,) = entries(out)
    assert "zoe" not in out.getvalue()
    assert entry["error"].startswith("KeyError")


@pytest.mark.parametrize(
    ("name", "level", "shown"),
    [("mode.timers", logging.WARNING, False), ("faust.app", logging.INFO, False), ("faust.app", logging.ERROR, True),
     ("aiokafka.conn", logging.DEBUG, False), ("tamis.x", logging.INFO, True), ("tamis.x", logging.DEBUG, False)],
)  # fmt: skip
def test_noise_is_left_out(out: io.StringIO, name: str, level: int, shown: bool) -> None:
    logging.getLogger(name).log(level, "line")
    assert bool(out.getvalue()) == shown


def test_debug_never_shows_requests_of_the_client(out: io.StringIO) -> None:
    configure_logs(TelemetrySettings(log_format="json", log_level="debug"), out)
    logging.getLogger("aiokafka.conn").debug("Request %s", CANARY)
    structlog.get_logger("tamis.x").debug("seen")
    assert [entry["event"] for entry in entries(out)] == ["seen"]


def test_lines_for_people(out: io.StringIO) -> None:
    configure_logs(TelemetrySettings(log_format="console"), out)
    structlog.get_logger("tamis.x").info("gate opened", role="intake", email=CANARY)
    (line,) = out.getvalue().splitlines()
    assert "gate opened" in line
    assert "role=intake" in line
    assert CANARY not in line


PROGRAM = """
import threading
from tamis.settings import TelemetrySettings
from tamis.telemetry.logs import configure_logs
configure_logs(TelemetrySettings(log_format="json"))
def fail():
    raise KeyError("zoe@example.test")
thread = threading.Thread(target=fail)
thread.start()
thread.join()
fail()
"""


def test_what_nobody_caught_is_an_entry() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, timeout=60)
    found = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.returncode == 1
    assert [(entry["event"], entry["error"]) for entry in found] == [("uncaught", "KeyError")] * 2
    assert "zoe" not in done.stderr + done.stdout
